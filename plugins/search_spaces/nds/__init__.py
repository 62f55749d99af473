"""The search spaces of NDS (Radosavovic et al., ICCV 2019), and builders for more of their kind."""
