"""The errors that a user can cause and mend, under one base."""


class SketchScopeError(Exception):
    """What the world did: one clear sentence that says what to do next."""


class ImageError(SketchScopeError):
    """A picture that can't become a network input."""


class DatasetError(SketchScopeError):
    """A dataset that is missing, damaged, or can't be imported."""


class DrawingError(SketchScopeError):
    """A drawing that can't be kept, or is missing or damaged."""


class RunError(SketchScopeError):
    """A run that is missing, damaged, busy, or doesn't fit the request."""


class ConfigError(SketchScopeError):
    """A setting that is unknown or out of its range."""
