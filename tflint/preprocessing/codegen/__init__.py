"""Renders recipes as text, JSON and code in numpy, C, Kotlin, Swift, Dart and JavaScript. Must not know contracts."""
