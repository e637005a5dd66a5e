//! Nothing: the examples are programs.
