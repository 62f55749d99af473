"""``nasbench data``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..capabilities import GroundTruthTable, Images, Tokens
from ..descriptions import NO_INPUTS
from ..plain_text import printable_lines
from .each_option_once import EachOptionOnce
from .options import space_option
from .tables import format_option, print_document, print_rows
from .types import FILE, MAX_COUNT, SEED

if TYPE_CHECKING:
    from ..data.data_home import Manifest
    from ..descriptions import DatasetInfo, DataSourceInfo, OfficialFile
    from ..documents.document import Document
    from ..plugin_manager import PluginManager

name_argument = click.argument("name")


@click.group("data")
def data_command() -> None:
    """List, import, download and check benchmark tables and data sets."""


@data_command.command("list", cls=EachOptionOnce)
@click.argument("name", required=False)
@format_option
def list_command(name: str | None, output_format: str) -> None:
    """List every benchmark table and data set, or explain one.

    Says what each is, its licence and size, whether it is here, where the official file comes from, and the
    command that makes it available.
    """
    from ..plugin_manager import installed_plugins

    plugins = installed_plugins()
    if name is not None:
        print_document(_describe_source(plugins.data_source(name).info), output_format)
        return
    rows = [*(_summarise_source(item.info) for item in plugins.data_sources().values()), *_installed_data(plugins)]
    print_document(_list_sources(rows), output_format)


@data_command.command("path", cls=EachOptionOnce)
@click.argument("name", required=False)
def path_command(name: str | None) -> None:
    """Print the data directory, or the folder of one import.

    The environment variable NASBENCH_DATA names another directory.
    """
    from ..data.data_home import data_home, how_to_get, stored_folder
    from ..errors import DataError
    from ..plugin_manager import installed_plugins

    if name is None:
        click.echo(data_home())
        return
    installed_plugins().data_source(name)
    folder = stored_folder(name)
    if folder is None:
        raise DataError(f"'{name}' was not imported. {how_to_get(name)}")
    click.echo(folder)


@data_command.command("import", cls=EachOptionOnce)
@name_argument
@click.argument("path", type=FILE)
@click.option("--skip-wrong", is_flag=True, help="Leave out records that are wrong, and say which, instead of all.")
def import_command(name: str, path: Path, skip_wrong: bool) -> None:
    """Read a file or directory of a benchmark or data set, check it, and store what is needed of it.

    NAME is one of 'nasbench data list', PATH what you have: an official file, or a table in the interchange form.
    The file is not needed afterwards. An earlier import of the same name is replaced if this one succeeds; where a
    benchmark has a file for each data set, results on other data sets are kept.
    """
    from ..plugin_manager import installed_plugins

    _import(installed_plugins().data_source(name).info, path, skip_wrong)


@data_command.command("download", cls=EachOptionOnce)
@name_argument
@click.option("--file", "file_name", metavar="NAME", help="Which official file.  [default: the first with a link]")
def download_command(name: str, file_name: str | None) -> None:
    """Download an official file, check it, and import it.

    An interrupted download continues when the same command is run again. Where no direct link exists, says where
    to get the file by hand.
    """
    from ..data.downloads import choose_file, download_file
    from ..plugin_manager import installed_plugins
    from .progress import track_bytes

    info = installed_plugins().data_source(name).info
    file = choose_file(info, file_name)
    click.echo(f"Downloading {file.url}", err=True)
    with track_bytes("downloading") as progress:
        path = download_file(file, progress)
    _import(info, path)
    path.unlink()


@data_command.command("verify", cls=EachOptionOnce)
@click.argument("name", required=False)
@format_option
def verify_command(name: str | None, output_format: str) -> None:
    """Read all that was imported, or one import, and check it against its checksums and its meaning.

    A table of NAS-Bench-101 takes some minutes: the hash of every cell is computed with two independent codes.
    Exit code 1 if something is damaged, or in use by another program.
    """
    from ..data.data_home import stored_folder, verify_data
    from ..errors import DataError, DataInUseError
    from ..plugin_manager import installed_plugins
    from .progress import track_steps

    plugins = installed_plugins()
    names = [name] if name else [known for known in plugins.data_sources() if stored_folder(known)]
    if not names:
        click.echo("Nothing was imported yet; 'nasbench data list' shows what can be.", err=True)
    rows = []
    for known in names:
        data_source = plugins.data_source(known).info.create()
        try:
            with track_steps(f"checking {known}") as progress:
                summary = verify_data(data_source, progress)
            rows.append({"name": known, "outcome": "intact", "details": f"{summary.items:,} {summary.unit}"})
        except DataError as error:
            outcome = "IN USE" if isinstance(error, DataInUseError) else "DAMAGED"
            rows.append({"name": known, "outcome": outcome, "details": str(error)})
    print_rows(rows, output_format)
    if any(row["outcome"] != "intact" for row in rows):
        sys.exit(1)


@data_command.command("remove", cls=EachOptionOnce)
@name_argument
def remove_command(name: str) -> None:
    """Delete an import from the data directory."""
    from ..data.data_home import remove_data
    from ..plugin_manager import installed_plugins

    installed_plugins().data_source(name)
    size = remove_data(name)
    click.echo(f"Removed '{name}' ({_bytes(size)}).")


@data_command.command("rebuild", cls=EachOptionOnce)
@space_option
@click.option(
    "--check",
    "count",
    type=click.IntRange(1, MAX_COUNT),
    default=5,
    show_default=True,
    help="Number of rows to train again.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Decides which rows.")
@format_option
def rebuild_command(space: str, count: int, seed: int, output_format: str) -> None:
    """Train rows of a table again and compare them with the stored ones.

    The same processor type and torch build give identical rows; elsewhere the means over the training seeds must agree
    within four standard errors (s.e.). Exit code 1 if a row does not.
    """
    from ..errors import UsageError
    from ..plugin_manager import installed_plugins
    from .progress import track

    table = installed_plugins().search_space(space).info.create().ground_truth()
    remade = table.remake(count, seed) if table else None
    if remade is None:
        raise UsageError(f"The search space '{space}' has no table that can be made again here.")
    checks = list(track(remade, count, "rows"))
    rows = [
        {"outcome": "identical" if check.identical else "within noise" if check.within_noise else "DIFFERENT"}
        | {f"{metric} (s.e.)": distance for metric, distance in check.distances.items()}
        | {"architecture": check.arch_id}
        for check in checks
    ]
    print_rows(rows, output_format)
    if not all(check.within_noise for check in checks):
        click.echo(
            "Error: A row differs by more than noise. The training code, torch or the images are not those that the "
            "table was made with.",
            err=True,
        )
        sys.exit(1)


def _import(info: DataSourceInfo, path: Path, skip_wrong: bool = False) -> None:
    from ..data.data_home import data_home, import_data
    from .progress import track_steps

    with track_steps(f"reading {path.name}") as progress:
        manifest = import_data(info.create(), path, progress, skip_wrong=skip_wrong)
    for note in manifest.notes:
        click.echo(f"Note: {printable_lines(note)}", err=True)
    click.echo(
        f"Imported {manifest.items:,} {manifest.unit} of '{info.name}' into '{data_home() / info.name}' "
        f"({_bytes(manifest.size_bytes)})."
    )


def _list_sources(rows: Sequence[Mapping[str, Any]]) -> Document:
    """Describe each source in a block of its own: its links are for copying, and a table would break them."""
    from ..documents.document import Document, Facts
    from ..documents.records import as_text

    blocks = [
        Facts(
            {key: as_text(value or None) for key, value in row.items() if key not in ("name", "content", "what")},
            title=f"{row['name']} ({row['content']}): {row['what']}",
        )
        for row in rows
    ]
    return Document(blocks, rows, rows)


def _describe_source(info: DataSourceInfo) -> Document:
    from ..documents.document import Document, Facts
    from ..documents.records import as_text, describe_record

    explained = _explain_source(info)
    facts = {key: as_text(value) for key, value in explained.items() if key != "official files"}
    files = [
        Facts({key: as_text(value) for key, value in file.items() if key != "official file"}, file["official file"])
        for file in explained["official files"]
    ]
    return Document((Facts(facts), *files), describe_record(explained).records, explained)


def _summarise_source(info: DataSourceInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "content": info.content,
        "what": info.summary,
        "here": _state(info),
        "licence": info.licence,
        "official": ", ".join(_describe_file(file) for file in info.files),
        "from": next((file.url for file in info.files if file.url), info.homepage),
        "get it": _command(info),
    }


def _explain_source(info: DataSourceInfo) -> dict[str, Any]:
    manifest = _manifest(info)
    return {
        "name": info.name,
        "content": info.content,
        "summary": info.summary,
        "source": info.source,
        "licence": info.licence,
        "homepage": info.homepage,
        "here": _state(info),
        "imported": None if manifest is None else f"{manifest.imported_from}, {manifest.imported_at}",
        "notes": [] if manifest is None else list(manifest.notes),
        "accepts": info.accepts,
        "get it": _command(info),
        "official files": [
            {
                "official file": file.name,
                "size": _bytes(file.size_bytes) if file.size_bytes else None,
                "link": file.url,
                "checksum": file.checksum,
            }
            for file in info.files
        ],
    }


def _installed_data(plugins: PluginManager) -> Iterator[dict[str, Any]]:
    """Yield what needs no import: data sets and tables that are installed with a package."""
    for item in plugins.datasets().values():
        if item.info.requires is None and item.info.name != NO_INPUTS:
            yield _installed_row(item.info.name, _content(item.info), item.info.summary, item.info.licence, item)
    for space in plugins.search_spaces().values():
        if space.info.requires is None and GroundTruthTable in space.info.provides:
            yield _installed_row(space.info.name, "table", space.info.summary, "", space)


def _content(info: DatasetInfo) -> str:
    if Tokens in info.provides:
        return "text"
    return "images" if Images in info.provides else info.unit


def _installed_row(name: str, content: str, summary: str, licence: str, item: Any) -> dict[str, Any]:
    return {
        "name": name,
        "content": content,
        "what": summary,
        "here": f"yes, installed with {item.distribution}",
        "licence": licence,
        "official": "",
        "from": item.info.source,
        "get it": "nothing to do",
    }


def _manifest(info: DataSourceInfo) -> Manifest | None:
    from ..data.data_home import read_manifest

    return read_manifest(info.name)


def _state(info: DataSourceInfo) -> str:
    from ..errors import DataError

    try:
        manifest = _manifest(info)
    except DataError:
        return f"DAMAGED: run 'nasbench data verify {info.name}'"
    if manifest is None:
        return "no"
    return f"yes, {manifest.items:,} {manifest.unit}, {_bytes(manifest.size_bytes)}"


def _command(info: DataSourceInfo) -> str:
    if any(file.url for file in info.files):
        return f"nasbench data download {info.name}"
    return f"nasbench data import {info.name} PATH"


def _describe_file(file: OfficialFile) -> str:
    return f"{file.name} ({_bytes(file.size_bytes)})" if file.size_bytes else file.name


def _bytes(size: int) -> str:
    power = min(3, (len(str(size)) - 1) // 3)
    return f"{size / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB')[power]}"
