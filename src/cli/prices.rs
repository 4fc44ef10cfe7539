//! `emu prices`: what the bills are reckoned with.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::{PricesArgs, output};
use crate::cost::{self, Book, Sheet};

pub fn run(args: &PricesArgs) -> anyhow::Result<ExitCode> {
    let mut books = match effective(&args.file) {
        Ok(books) => books,
        Err(error) => {
            output::error(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    if !args.provider.is_empty() {
        books.retain(|book| args.provider.contains(&book.provider));
    }
    let text = match args.json {
        true => format!("{:#}\n", cost::price_list_json(&books)),
        false => cost::price_list(&books),
    };
    output::print(&text);
    Ok(ExitCode::SUCCESS)
}

/// emu's own books with the files laid over them.
pub fn effective(files: &[PathBuf]) -> anyhow::Result<Vec<Book>> {
    let sheets = files.iter().map(|file| read(file)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Book::with(sheets)?)
}

/// Reads no more than a price book may have.
fn read(path: &Path) -> anyhow::Result<(String, Sheet)> {
    let name = path.display().to_string();
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(|| format!("the price book {name} cannot be read"))?;
    file.take(cost::FILE_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("the price book {name} cannot be read"))?;
    let sheet = Sheet::read(&text, &name)?;
    Ok((name, sheet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_book_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ours.yaml");
        assert!(read(&file).expect_err("there is none").to_string().contains("ours.yaml cannot be read"));
        std::fs::write(&file, "provider: aws\nitems: {egress: {price: nothing}}\n").expect("written");
        assert!(read(&file).expect_err("wrong").to_string().contains("ours.yaml:2:"));
        std::fs::write(&file, format!("#{}", "x".repeat(cost::FILE_BYTES_MAX + 10))).expect("written");
        assert!(read(&file).expect_err("large").to_string().contains("at most"));
        std::fs::write(&file, "provider: aws\nitems: {egress: {price: 0.01}}\n").expect("written");
        assert_eq!(read(&file).expect("right").1.items.len(), 1);
    }
}
