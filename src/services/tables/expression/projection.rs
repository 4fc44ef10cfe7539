//! `ProjectionExpression`: paths, with commas between.

use super::super::path::Path;
use super::Scope;
use super::parser::Parser;

pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Vec<Path>, String> {
    let mut parser = Parser::new(text, scope)?;
    let mut paths = Vec::new();
    loop {
        let path = parser.path()?;
        parser.note_clash(&paths, &path);
        paths.push(path);
        if !parser.take_mark(",") {
            break;
        }
    }
    parser.end()?;
    let mistakes = std::mem::take(&mut parser.mistakes);
    match mistakes.reserved.or(mistakes.undefined).or(mistakes.overlap).or(mistakes.conflict) {
        Some(mistake) => Err(mistake),
        None => Ok(paths),
    }
}
