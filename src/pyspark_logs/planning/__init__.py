"""Planning: finds the files that a query reads with few list requests, cuts them and packs them into tasks.

::

    layout = resolve_layout(store, options)
    plan = plan(store, options, FileFilters(allowed={"team": {"web"}}), layout=layout)

Imports within the package run one way: ``planner`` -> ``empty_plan``, ``layout_inference``, ``file_listing``, ``file_table``, ``packing``; ``file_listing``
-> ``commit_roots``, ``prefix_walk``, ``load_paths`` -> ``listing_result``, ``listing_tree`` -> ``file_table``, ``selection``, ``threads``
-> ``globs``.
"""

from __future__ import annotations

from pyspark_logs.planning.empty_plan import explain_empty
from pyspark_logs.planning.file_listing import Listing, PlanReport, list_files
from pyspark_logs.planning.file_table import FileTable, PlannedFile
from pyspark_logs.planning.layout_inference import resolve_layout
from pyspark_logs.planning.packing import FileSplit, Splits, Task, in_path_order, pack, split_files, task_bytes
from pyspark_logs.planning.planner import Plan, plan
from pyspark_logs.planning.selection import NO_FILTERS, UNBOUNDED, Allowed, FileFilters, Window
from pyspark_logs.planning.threads import processors

__all__ = [
    "NO_FILTERS",
    "UNBOUNDED",
    "Allowed",
    "FileFilters",
    "FileSplit",
    "FileTable",
    "Listing",
    "Plan",
    "PlanReport",
    "PlannedFile",
    "Splits",
    "Task",
    "Window",
    "explain_empty",
    "in_path_order",
    "list_files",
    "pack",
    "plan",
    "processors",
    "resolve_layout",
    "split_files",
    "task_bytes",
]
