//! Functions: from the project's source to invocations. Knows how functions are built, found, admitted and run; knows no service and no wire.

pub mod bundle;
pub mod route;
pub mod shapes;

#[cfg(test)]
pub(crate) mod testing;
