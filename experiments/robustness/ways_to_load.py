"""Plugins that misbehave when they are loaded: each as the text of its module, or of what its distribution says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PLUGIN = "misloaded"

TOOLKIT_METADATA = "Metadata-Version: 2.1\nName: nasbench-toolkit\nVersion: 9\n"
METADATA = f"Metadata-Version: 2.1\nName: {PLUGIN}-plugin\nVersion: 1.0\n"
ENTRY_POINTS = f"[nasbench]\n{PLUGIN} = {PLUGIN}\n"

EVALUATOR = "mine"
"""What those that misbehave and are to work nevertheless provide."""


@dataclass(frozen=True)
class Loading:
    """A plugin.

    Attributes:
        source: Text of its module.
        says: What the one warning about it contains; empty if there must be none, and its evaluator must work.
        works: Whether its evaluator works although there is a warning.
        metadata: What its distribution's METADATA has; None if there is no such file.
        entry_points: What its distribution's ``entry_points.txt`` has.
        distribution: What messages call it.
        own_name: Name of the entry point in messages.
    """

    source: str
    says: str = ""
    works: bool = False
    metadata: str | bytes | None = METADATA
    entry_points: str | bytes = ENTRY_POINTS
    distribution: str = f"{PLUGIN}-plugin 1.0"
    own_name: str = PLUGIN

    @property
    def has_evaluator(self) -> bool:
        """Whether the evaluator is to be there."""
        return self.works or not self.says


_IMPORTS = """
from nasbench_toolkit import (
    AggregateInfo, DatasetInfo, DataSourceInfo, Direction, EvaluatorInfo, SearchSpaceInfo, SearchStrategyInfo, hookimpl
)
import nasbench_toolkit, os, sys
"""

_GOOD = f"""
def good(name="{EVALUATOR}", **fields):
    given = dict(summary="For an experiment.", source="it", factory="json:JSONDecoder", direction=Direction.MAXIMIZE)
    return EvaluatorInfo(name=name, **(given | fields))
@hookimpl
def nasbench_evaluators():
    yield good()
"""

_FIELDS = 'summary="For an experiment.", source="it", factory="json:JSONDecoder"'


def _at_import(code: str) -> str:
    """Return a module that does something when it is imported, and has a good evaluator."""
    return f"{_IMPORTS}\n{code}\n{_GOOD}"


def _in_hook(code: str) -> str:
    """Return a module that does something in its hook, and has a good evaluator."""
    lines = "\n".join(f"    {line}" for line in code.splitlines())
    return f"{_IMPORTS}\n{_GOOD.replace('    yield good()', f'{lines}{chr(10)}    yield good()')}"


IMPORTS_THAT_FAIL = {
    "exits": Loading(_at_import("sys.exit(0)"), "SystemExit: 0. Tell its authors, or uninstall it"),
    "exits-with-text": Loading(_at_import("sys.exit('needs CUDA')"), "SystemExit: needs CUDA"),
    "raises-base-exception": Loading(_at_import("raise BaseException('base')"), "BaseException: base"),
    "raises-generator-exit": Loading(_at_import("raise GeneratorExit"), "GeneratorExit"),
    "raises-memory-error": Loading(_at_import("raise MemoryError"), "MemoryError"),
    "raises-escapes": Loading(_at_import("raise ValueError('\\x1b[31mred')"), "ValueError: \\x1b[31mred"),
    "raises-without-text": Loading(
        _at_import("class E(Exception):\n    def __str__(self): raise KeyError('no')\nraise E"),
        "E: its message cannot be read",
    ),
    "recurs": Loading(_at_import("def f(): f()\nf()"), "RecursionError"),
    "is-no-python": Loading("this is no Python", "SyntaxError"),
    "lacks-a-module": Loading("import not_installed_anywhere", "Install what provides 'not_installed_anywhere'"),
    "imports-newer-name": Loading(
        "from nasbench_toolkit import TokenBatch", "has no 'TokenBatch': upgrade nasbench-toolkit, or install an older"
    ),
    "imports-newer-module": Loading(
        "import nasbench_toolkit.audio", "has no module 'nasbench_toolkit.audio': upgrade nasbench-toolkit"
    ),
    "uses-newer-name": Loading(_at_import("nasbench_toolkit.TokenBatch"), "has no 'TokenBatch': upgrade"),
    "has-newer-field": Loading(_in_hook("good(energy='low')"), "has no 'energy' in EvaluatorInfo: upgrade"),
    "has-newer-hook": Loading(
        _at_import("@hookimpl\ndef nasbench_language_models(): yield 1"),
        "has no hook 'nasbench_language_models'",
        works=True,
    ),
    "has-misspelt-hook": Loading(
        _at_import("@hookimpl\ndef nasbench_evaluatrs(): yield 1"), "Did you mean 'nasbench_evaluators'?", works=True
    ),
    "has-optional-hook": Loading(_at_import("@hookimpl(optionalhook=True)\ndef nasbench_language_models(): yield 1")),
}

CHANGES = {
    "prints": "print('loading'); sys.__stdout__.write('loading')",
    "writes-to-descriptor": "os.write(1, b'loading')",
    "starts-program": "import subprocess; subprocess.run(['echo', 'loading'])",
    "replaces-stdout": "import io; sys.stdout = io.StringIO()",
    "closes-stdout": "sys.stdout.close()",
    "closes-descriptors": "os.close(0); os.close(1); os.close(2)",
    "closes-stdin": "sys.stdin = None",
    "starts-thread": "import threading, time; threading.Thread(target=time.sleep, args=(3600,)).start()",
    "starts-daemon-thread": "import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=1).start()",
    "prints-at-exit": "import atexit; atexit.register(print, 'bye')",
    "raises-at-exit": "import atexit; atexit.register(sys.exit, 'bye')",
    "default-dtype": "import torch; torch.set_default_dtype(torch.float64)",
    "threads": "import torch; torch.set_num_threads(2)",
    "gradients": "import torch; torch.set_grad_enabled(False)",
    "device": "import torch; torch.set_default_device('meta')",
    "deterministic": "import torch; torch.use_deterministic_algorithms(True); torch.backends.mkldnn.enabled = False",
    "denormals": "import torch; torch.set_flush_denormal(True)",
    "relu": "import torch; torch.nn.functional.relu = torch.relu = torch.sigmoid",
    "tensor-method": "import torch; torch.Tensor.backward = lambda *args, **named: None",
    "seeds": "import random, numpy, torch; random.seed(1); numpy.random.seed(1); torch.manual_seed(1)",
    "numpy-errors": "import numpy; numpy.seterr(all='raise')",
    "directory": "os.chdir('/')",
    "environment": "os.environ.clear()",
    "umask": "os.umask(0o777)",
    "limits": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (16, resource.getrlimit(7)[1]))",
    "locale": "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "warning-filters": "import warnings; warnings.simplefilter('error')",
    "warning-functions": "import warnings; warnings.warn = warnings.showwarning = lambda *args, **named: None",
    "signals": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, print)",
    "alarm": "import signal; signal.alarm(1)",
    "excepthook": "sys.excepthook = sys.unraisablehook = print",
    "path": "sys.path.clear()",
    "arguments": "sys.argv[:] = ['other']",
    "modules": "import json; sys.modules['json'] = sys.modules['hashlib'] = sys",
    "modules-removed": "del sys.modules['nasbench_toolkit.core.domain'], sys.modules['warnings']",
    "modules-not-loaded-yet": "sys.modules['h5py'] = sys.modules['scipy'] = None",
    "built-ins": "import builtins; builtins.print = builtins.open = builtins.sorted = len",
    "recursion-limit": "sys.setrecursionlimit(60)",
    "logging": "import logging; logging.disable(50); logging.basicConfig(stream=sys.stdout)",
    "decimals": "import decimal; decimal.getcontext().prec = 1",
    "garbage": "import gc; gc.disable()",
    "profiler": "sys.setprofile(print); sys.settrace(lambda *args: None)",
    "start-method": "import multiprocessing; multiprocessing.set_start_method('spawn')",
    "children": "import time\nif os.fork() == 0:\n    time.sleep(3)\n    os._exit(0)",
}

# Hook, class of what it yields, a name that is taken, and what else such a description must have.
HOOKS = {
    "nasbench_evaluators": ("EvaluatorInfo", "params", "direction=Direction.MAXIMIZE"),
    "nasbench_aggregates": ("AggregateInfo", "vote", ""),
    "nasbench_search_spaces": ("SearchSpaceInfo", "nasbench201", "datasets=('mnist',)"),
    "nasbench_search_strategies": ("SearchStrategyInfo", "random-search", ""),
    "nasbench_datasets": ("DatasetInfo", "mnist", ""),
    "nasbench_data_sources": ("DataSourceInfo", "cifar10", ""),
}

# What a hook does, and what is said of it; ``one`` makes a description.
FAULTS_OF_HOOKS = {
    "raises": ("raise RuntimeError('out of order')", "RuntimeError: out of order. Tell its authors"),
    "exits": ("sys.exit(0)", "SystemExit: 0"),
    "returns-one": ("return one('mine')", "returned one {kind} where several are expected"),
    "returns-none": ("return None", "returned nothing: 'yield' each"),
    "returns-number": ("return 3", "returned int, expected {kind} objects"),
    "yields-text": ("yield 'mine'", "yielded str, expected {kind}"),
    "raises-late": ("yield one('mine')\n    raise KeyError('late')", "KeyError: 'late'"),
    "never-ends": ("while True: yield one('mine')", "yielded more than 10,000"),
    "yields-twice": ("yield one('mine')\n    yield one('mine')", "'mine' twice: give one of the two another name"),
    "bad-name": ("yield one('Not A Name')", "name 'Not A Name': use lower-case letters"),
    "no-summary": ("yield one('mine', summary=' ')", "has no summary"),
    "odd-summary": ("yield one('mine', summary=3)", "has no summary"),
    "no-module": ("yield one('mine', factory='nowhere_at_all:It')", "there is no module 'nowhere_at_all'"),
    "no-path": ("yield one('mine', factory='nowhere')", "give a class, or its import path"),
}

FIELDS = {
    "evaluator-direction": ("EvaluatorInfo", "direction='up'", "has direction 'up': use Direction.MAXIMIZE"),
    "evaluator-needs": ("EvaluatorInfo", "direction=Direction.MAXIMIZE, needs=[]", "has as 'needs' []: give a frozen"),
    "evaluator-version": ("EvaluatorInfo", "direction=Direction.MAXIMIZE, version='2'", "has as 'version' '2'"),
    "evaluator-version-0": ("EvaluatorInfo", "direction=Direction.MAXIMIZE, version=0", "has the version 0"),
    "evaluator-settings": ("EvaluatorInfo", "direction=Direction.MAXIMIZE, settings=dict", "derive a frozen dataclass"),
    "evaluator-reason": ("EvaluatorInfo", "direction=Direction.MAXIMIZE, why_unsupported='no'", "give a function"),
    "evaluator-search": ("EvaluatorInfo", "direction=Direction.MAXIMIZE, searchable='task'", "SearchableSetting"),
    "dataset-std": ("DatasetInfo", "std=(0.0, 1.0, 1.0)", "those of 'std' above 0"),
    "dataset-mean": ("DatasetInfo", "input_shape=(1, 8, 8)", "give one number for each channel"),
    "dataset-shape": ("DatasetInfo", "input_shape=(3, 8)", "give channels, height, width"),
    "dataset-classes": ("DatasetInfo", "num_classes=-1", "negative number of values or classes"),
    "space-datasets": ("SearchSpaceInfo", "datasets='mnist'", "has as 'datasets' 'mnist': give a tuple of texts"),
    "space-variants": ("SearchSpaceInfo", "datasets=('mnist',), network_variants=['benchmark']", "give texts by name"),
    "space-provides": ("SearchSpaceInfo", "datasets=('mnist',), provides=frozenset({'network'})", "which is no class"),
    "aggregate-components": ("AggregateInfo", "components='params'", "give a tuple of texts"),
    "source-files": ("DataSourceInfo", "files=('a.zip',)", "a tuple of OfficialFile objects"),
}

_HOOK_OF = {kind: hook for hook, (kind, _, _) in HOOKS.items()}


def _with_hook(hook: str, body: str) -> str:
    kind, _, more = HOOKS[hook]
    return f"""{_IMPORTS}
def one(name, **fields):
    return {kind}(name=name, **(dict({_FIELDS}, {more}) | fields))
@hookimpl
def {hook}():
    {body}
"""


def _faults_of_hooks() -> Iterator[tuple[str, Loading]]:
    for hook, (kind, taken, _) in HOOKS.items():
        short = hook.removeprefix("nasbench_")
        for fault, (body, says) in FAULTS_OF_HOOKS.items():
            yield f"{short}-{fault}", Loading(_with_hook(hook, body), says.format(kind=kind))
        yield (
            f"{short}-taken",
            Loading(_with_hook(hook, f"yield one('{taken}')"), f"'{taken}' was left out: it has the name of"),
        )
        unmarked = _with_hook(hook, "yield one('mine')").replace("@hookimpl", "")
        yield f"{short}-unmarked", Loading(unmarked, "is not marked with @hookimpl")
        yield (
            f"{short}-argument",
            Loading(_with_hook(hook, "yield one('mine')").replace("()", "(registry)"), "takes registry"),
        )


def _wrong_fields() -> Iterator[tuple[str, Loading]]:
    for name, (kind, fields, says) in FIELDS.items():
        source = f"{_IMPORTS}\n@hookimpl\ndef {_HOOK_OF[kind]}():\n    yield {kind}(name='mine', {_FIELDS}, {fields})\n"
        yield name, Loading(source, says)


_GOOD_MODULE = _at_import("")

DISTRIBUTIONS = {
    "no-metadata": Loading(_GOOD_MODULE, metadata=None),
    "empty-metadata": Loading(_GOOD_MODULE, metadata=""),
    "no-version": Loading(_GOOD_MODULE, metadata=f"Metadata-Version: 2.1\nName: {PLUGIN}-plugin\n"),
    "binary-metadata": Loading(_GOOD_MODULE, metadata=b"\xff\xfe\x00"),
    "name-of-the-toolkit": Loading(_GOOD_MODULE, metadata=TOOLKIT_METADATA),
    "name-with-escape": Loading(_GOOD_MODULE, metadata="Metadata-Version: 2.1\nName: a\x1b[31m\nVersion: 1\n"),
    "extras": Loading(_GOOD_MODULE, entry_points=f"[nasbench]\n{PLUGIN} = {PLUGIN} [gpu]\n"),
    "listed-twice": Loading(_GOOD_MODULE, entry_points=f"{ENTRY_POINTS}{PLUGIN} = {PLUGIN}\n"),
    "two-names": Loading(
        _GOOD_MODULE, "it is a plugin already, by another name", True, entry_points=f"{ENTRY_POINTS}zz = {PLUGIN}\n",
        own_name="zz",
    ),
    "no-equals-sign": Loading(_GOOD_MODULE, "its entry_points.txt cannot be read", entry_points="[nasbench]\nbad\n",
                              own_name=f"{PLUGIN}-plugin"),
    "binary-entry-points": Loading(_GOOD_MODULE, "its entry_points.txt cannot be read",
                                   entry_points=b"[nasbench]\nb\xffd = bad\n", own_name=f"{PLUGIN}-plugin"),
    "no-import-path": Loading(_GOOD_MODULE, "its entry point is 'not a module!'",
                              entry_points=f"[nasbench]\n{PLUGIN} = not a module!\n"),
    "no-value": Loading(_GOOD_MODULE, "its entry point is ''", entry_points=f"[nasbench]\n{PLUGIN} =\n"),
    "module-missing": Loading(_GOOD_MODULE, "Install what provides 'nowhere_at_all'",
                              entry_points=f"[nasbench]\n{PLUGIN} = nowhere_at_all\n"),
    "attribute-missing": Loading(_GOOD_MODULE, "AttributeError", entry_points=f"[nasbench]\n{PLUGIN} = {PLUGIN}:it\n"),
}  # fmt: skip

LOADINGS: dict[str, Loading] = (
    {f"import-{name}": loading for name, loading in IMPORTS_THAT_FAIL.items()}
    | {f"change-{name}": Loading(_at_import(code)) for name, code in CHANGES.items()}
    | {f"hook-{name}": loading for name, loading in _faults_of_hooks()}
    | {f"field-{name}": loading for name, loading in _wrong_fields()}
    | {f"distribution-{name}": loading for name, loading in DISTRIBUTIONS.items()}
    | {f"changing-hook-{name}": Loading(_in_hook(code)) for name, code in CHANGES.items() if name in ("prints", "relu")}
)
