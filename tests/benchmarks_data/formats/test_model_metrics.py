import pytest
from nasbench_toolkit.benchmarks_data.formats.model_metrics import decode_evaluation, decode_model_metrics
from nasbench_toolkit.experiments.official_files import model_metrics

EVALUATIONS = [(0.0, 0.0, 0.1, 0.1, 0.1), (54.0, 900.5, 0.8, 0.7, 0.75), (108.0, 1800.25, 1.0, 0.93, 0.94)]


@pytest.mark.parametrize("parameters", [0, 1, 127, 128, 227_274, 49_979_274])
def test_message_written_by_hand_is_read(parameters) -> None:
    message = decode_model_metrics(model_metrics(EVALUATIONS, parameters))
    assert message.trainable_parameters == parameters
    assert [tuple(decode_evaluation(evaluation)) for evaluation in message.evaluations] == EVALUATIONS


def protobuf_messages():
    """Return the message class of ``model_metrics.proto``, made by Google's library."""
    descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2", reason="protobuf is not installed")
    from google.protobuf import descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="model_metrics.proto", package="nasbench", syntax="proto2")
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data", number=1, label=3, type=kinds.TYPE_MESSAGE, type_name=".nasbench.EvaluationData"
    )
    metrics.field.add(name="trainable_parameters", number=2, label=1, type=kinds.TYPE_INT32)
    metrics.field.add(name="total_time", number=3, label=1, type=kinds.TYPE_DOUBLE)
    evaluation = file.message_type.add(name="EvaluationData")
    names = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    for number, name in enumerate(names, 1):
        evaluation.field.add(name=name, number=number, label=1, type=kinds.TYPE_DOUBLE)
    evaluation.field.add(name="checkpoint_path", number=6, label=1, type=kinds.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


def test_message_of_the_protobuf_library_is_read() -> None:
    written = protobuf_messages()(trainable_parameters=2_694_282, total_time=17.5)
    for epoch, seconds, train, validation, test in EVALUATIONS:
        written.evaluation_data.add(
            current_epoch=epoch,
            training_time=seconds,
            train_accuracy=train,
            validation_accuracy=validation,
            test_accuracy=test,
            checkpoint_path="/path/to/model.ckpt-1234" * 9,
        )
    message = decode_model_metrics(written.SerializeToString())
    assert message.trainable_parameters == 2_694_282
    assert [tuple(decode_evaluation(evaluation)) for evaluation in message.evaluations] == EVALUATIONS


def test_fields_that_are_not_set_are_none() -> None:
    assert decode_model_metrics(b"") == ([], None)
    assert tuple(decode_evaluation(b"")) == (None,) * 5


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (b"\x0a\x05ab", "beyond the end"),
        (b"\x19\x00", "beyond the end"),
        (b"\x10" + b"\xff" * 11, "an integer without an end"),
        (b"\x10", "an integer without an end"),
        (b"\x0b", "unknown kind 3"),
    ],
)
def test_malformed_message_is_refused(message, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        decode_model_metrics(message)
