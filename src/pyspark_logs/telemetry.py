"""Spans of OpenTelemetry, if its API is installed; otherwise a span does nothing.

Only the API is used: the program decides by its SDK where spans go, and without an SDK none is recorded. Names of attributes are
those of the semantic conventions where these have one (``file.path``, ``file.size``, ``error.type``), and begin with
``pyspark_logs.`` otherwise. See https://opentelemetry.io/docs/specs/semconv/registry/attributes/file/.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

Attributes = Mapping[str, "str | int | float | bool | Sequence[str]"]

_TRACER = "pyspark_logs"
_HEADER = "traceparent"  # https://www.w3.org/TR/trace-context/


@functools.cache
def _trace() -> Any:
    """Returns the module ``opentelemetry.trace``; None if it is not installed."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace


class Span:
    """A span; a context that ends it, with the type of an error. Nothing if OpenTelemetry is not installed.

    Args:
        span: span of OpenTelemetry; None if that is not installed.
        current: True to make the span the parent of others within its context. Generators must not do that: their callers
            run between their steps.
    """

    __slots__ = ("_scope", "_span")

    def __init__(self, span: Any, *, current: bool = False) -> None:
        self._span = span
        self._scope: AbstractContextManager[Any] | None = None
        if current and self.is_recording:
            self._scope = _trace().use_span(
                span, end_on_exit=False, record_exception=False, set_status_on_exception=False
            )

    @property
    def is_recording(self) -> bool:
        """True if attributes are kept."""
        return self._span is not None and bool(self._span.is_recording())

    def set(self, attributes: Attributes) -> None:
        """Sets attributes."""
        if self._span is not None:
            self._span.set_attributes(attributes)

    def child(self, name: str, attributes: Attributes) -> Span:
        """Starts a span whose parent is this one."""
        trace = _trace()
        if self._span is None or trace is None:
            return Span(None)
        context = trace.set_span_in_context(self._span)
        return Span(trace.get_tracer(_TRACER).start_span(name, context=context, attributes=attributes))

    def header(self) -> str:
        """Returns the identity of the span for another process; empty if it is not recorded."""
        if not self.is_recording:
            return ""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, context=_trace().set_span_in_context(self._span))
        return carrier.get(_HEADER, "")

    def __enter__(self) -> Span:  # noqa: PYI034 - typing.Self needs Python 3.11
        if self._scope is not None:
            self._scope.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is None:
            return
        if self._scope is not None:
            self._scope.__exit__(None, None, None)
        # A generator that is closed has a consumer that needs no more. The message of an error may hold records.
        if kind is not None and not issubclass(kind, GeneratorExit):
            self._span.set_attribute("error.type", kind.__qualname__)
            self._span.set_status(_trace().StatusCode.ERROR)
        self._span.end()


def start_span(name: str, attributes: Attributes | None = None, *, parent: str = "", current: bool = False) -> Span:
    """Starts a span.

    Args:
        name: name of the span.
        attributes: its attributes.
        parent: :meth:`Span.header` of the parent, of another process; empty for the current span.
        current: argument of :class:`Span`.
    """
    trace = _trace()
    if trace is None:
        return Span(None)
    context = None
    if parent:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({_HEADER: parent})
    return Span(trace.get_tracer(_TRACER).start_span(name, context=context, attributes=attributes), current=current)
