"""Makes a folder that, on the path, is an installed plugin."""

from __future__ import annotations

from pathlib import Path


def make_plugin_folder(folder: Path, name: str, module: str) -> Path:
    """Write the metadata of a distribution whose one plugin is a module.

    Args:
        folder: Where to; the module is there, or on the path anyway.
        name: Of the distribution and of the plugin.
        module: What the entry point names.

    Returns:
        The folder.
    """
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[nasbench]\n{name} = {module}\n")
    return folder
