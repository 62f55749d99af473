"""Benchmark tables that users bring: where they are to be had, under which licence, and what reads them.

Sizes are as the makers round them. Checksums are those that the makers publish; the file names of
NAS-Bench-201 and NATS-Bench carry a few digits of a checksum that is not published whole.
"""

from __future__ import annotations

from ...core.descriptions import DataSourceInfo, OfficialFile

_PACKAGE = __name__.rpartition(".")[0]

NASBENCH101_SOURCE = DataSourceInfo(
    name="nasbench101",
    summary="NAS-Bench-101: 423,624 cells trained on CIFAR-10, three times for each number of epochs.",
    source="Ying et al., NAS-Bench-101, ICML 2019",
    factory=f"{_PACKAGE}.nasbench101.source:Nasbench101Source",
    content="table",
    licence="Apache-2.0",
    homepage="https://github.com/google-research/nasbench",
    files=(
        OfficialFile(
            "nasbench_only108.tfrecord",
            "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord",
            499_000_000,
            "sha256:4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
        ),
        OfficialFile(
            "nasbench_full.tfrecord",
            "https://storage.googleapis.com/nasbench/nasbench_full.tfrecord",
            1_950_000_000,
            "sha256:3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
        ),
    ),
    accepts="Takes nasbench_only108.tfrecord (499 MB, 108 epochs), nasbench_full.tfrecord (1.95 GB, also 4, 12 and "
    "36 epochs), or an interchange table (.csv, .csv.gz, .parquet).",
)

NASBENCH201_SOURCE = DataSourceInfo(
    name="nasbench201",
    summary="NAS-Bench-201: 15,625 cells trained on CIFAR-10, CIFAR-100 and ImageNet16-120.",
    source="Dong & Yang, NAS-Bench-201, ICLR 2020; Dong et al., NATS-Bench, TPAMI 2021",
    factory=f"{_PACKAGE}.nasbench201.source:Nasbench201Source",
    content="table",
    licence="MIT",
    homepage="https://github.com/D-X-Y/NATS-Bench",
    files=(
        OfficialFile("NATS-tss-v1_0-3ffb9.pickle.pbz2", None, None, None),
        OfficialFile("NATS-tss-v1_0-3ffb9-simple.tar", None, None, None),
        OfficialFile("NAS-Bench-201-v1_1-096897.pth", None, 4_700_000_000, None),
        OfficialFile("NAS-Bench-201-v1_0-e61699.pth", None, 2_200_000_000, None),
    ),
    accepts="Takes NAS-Bench-201-v1_1-096897.pth (4.7 GB) or -v1_0-e61699.pth (2.2 GB), "
    "NATS-tss-v1_0-3ffb9.pickle.pbz2, the unpacked directory NATS-tss-v1_0-3ffb9-simple, or an interchange table "
    "(.csv, .csv.gz, .parquet).",
)

# Both files are called logs.zip where they come from; here they go by the name of their folder.
_NLP_LOGS = "https://github.com/fmsnew/nas-bench-nlp-release/blob/master/{}/logs.zip?raw=true"

NASBENCH_NLP_EMBEDDING_SOURCE = DataSourceInfo(
    name="nasbench-nlp-embedding",
    summary="NAS-Bench-NLP: vectors of its recurrent cells, in which the benchmark's and GenNAS's evolution moves.",
    source="Klyuchnikov et al., NAS-Bench-NLP, 2020 (arXiv:2006.07116); Li et al., GenNAS, NeurIPS 2021",
    factory=f"{_PACKAGE}.nasbench_nlp.embedding:EmbeddingSource",
    content="embedding",
    licence="Apache-2.0",
    homepage="https://github.com/fmsnew/nas-bench-nlp-release",
    files=(
        OfficialFile(
            "doc2vec_features_lowdim.csv",
            "https://raw.githubusercontent.com/leeyeehoo/GenNAS/74f93aa73bdcaa4da8020710402d40990c3a09a5/data/"
            "nasbenchnlp/doc2vec_features_lowdim.csv",
            2_888_325,
            None,
        ),
        OfficialFile("doc2vec_features.csv", None, None, None),
    ),
    accepts="Takes doc2vec_features_lowdim.csv (10 dimensions) or doc2vec_features.csv (50), whose first line is "
    "'recepie_id,v00,v01,..'. Used with a table of 'nasbench-nlp' that has the numbers of the recipes: imported from "
    "its logs, or from a table with a column 'recipe_id'.",
)

NASBENCH_NLP_SOURCE = DataSourceInfo(
    name="nasbench-nlp",
    summary="NAS-Bench-NLP: recurrent cells trained as language models on Penn Treebank or WikiText-2.",
    source="Klyuchnikov et al., NAS-Bench-NLP, 2020 (arXiv:2006.07116)",
    factory=f"{_PACKAGE}.nasbench_nlp.source:NasbenchNlpSource",
    content="table",
    licence="Apache-2.0",
    homepage="https://github.com/fmsnew/nas-bench-nlp-release",
    files=(
        OfficialFile("train_logs_single_run.zip", _NLP_LOGS.format("train_logs_single_run"), None, None),
        OfficialFile("train_logs_wikitext-2.zip", _NLP_LOGS.format("train_logs_wikitext-2"), None, None),
    ),
    accepts="Takes a logs.zip of train_logs_single_run (Penn Treebank) or train_logs_wikitext-2, or an interchange "
    "table (.csv, .csv.gz, .parquet).",
)
