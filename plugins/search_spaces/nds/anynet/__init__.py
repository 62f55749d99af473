"""The spaces of NDS whose networks are three stages of residual blocks: ResNet, ResNeXt-A and ResNeXt-B."""
