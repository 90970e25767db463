"""Runs git in repositories of the tests, with an identity and independent of the user's configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SETTINGS = (
    "user.name=tests",
    "user.email=tests@localhost",
    "commit.gpgsign=false",
    "init.defaultBranch=main",
    "core.autocrlf=false",
    "protocol.file.allow=always",
)


def git(folder: str | Path, *arguments: str) -> str:
    """Run git in a folder; return its output without the final newline."""
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit_all(folder: str | Path) -> str:
    """Make a repository of a folder, with all files in one commit; return the hash of the commit."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "add models")
    return git(folder, "rev-parse", "HEAD")
