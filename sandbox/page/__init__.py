"""What one person at a desk sees of the sandbox: an HTTP API that plays people, and a web page on top of it."""

from sandbox.page.app import create_app

__all__ = ["create_app"]
