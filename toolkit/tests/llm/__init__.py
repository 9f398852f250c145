"""Tests of toolkit.llm, and servers that speak to it."""
