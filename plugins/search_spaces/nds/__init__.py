"""The search spaces of NDS (Radosavovic et al., On Network Design Spaces for Visual Recognition, ICCV 2019)."""
