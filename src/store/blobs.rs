//! Bytes too large for a row: files in a folder, named by random identifiers, written once.
