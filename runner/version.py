"""The version of this laboratory, kept in one place."""

VERSION = "0.1.0"
