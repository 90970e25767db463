"""The child process: runs models with a runtime, within limits. Only this package imports a runtime."""
