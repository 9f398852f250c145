"""Problems that a language model writes: asked for, parsed, counted and kept."""
