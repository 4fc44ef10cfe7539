//! What the expression parsers share: a cursor over the words, paths, and the first mistake of each kind.

use super::super::path::{Path, Step};
use super::super::value::Value;
use super::lexer::{self, Kind, Token};
use super::{BYTES_MAX, OPERATORS_MAX, Scope, reserved};

/// Parentheses and function calls within each other at most: bounds the stack that a hostile expression can take.
const DEPTH_MAX: usize = 64;

/// The first mistake of each kind, found while parsing. Which is told first is up to the kind of expression.
#[derive(Default)]
pub struct Mistakes {
    pub parentheses: Option<String>,
    pub unknown_function: Option<String>,
    pub misused_function: Option<String>,
    pub reserved: Option<String>,
    pub section: Option<String>,
    pub name: Option<String>,
    pub value: Option<String>,
    /// Whichever of `name` and `value` came first.
    pub undefined: Option<String>,
    pub overlap: Option<String>,
    pub conflict: Option<String>,
    pub operand: Option<String>,
    pub distinct: Option<String>,
    pub function: Option<String>,
}

/// Remembers a mistake, unless there is one already.
pub fn note(slot: &mut Option<String>, mistake: impl FnOnce() -> String) {
    if slot.is_none() {
        *slot = Some(mistake());
    }
}

/// A cursor over an expression's words.
pub struct Parser<'a, 's> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    operators: usize,
    scope: &'a Scope<'s>,
    pub mistakes: Mistakes,
}

impl<'a, 's> Parser<'a, 's> {
    /// Fails where the text is empty or too long.
    pub fn new(text: &'a str, scope: &'a Scope<'s>) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("Expression size has exceeded the maximum allowed size; expression size: {}", text.len()));
        }
        if text.trim().is_empty() {
            return Err("The expression can not be empty;".to_owned());
        }
        Ok(Parser { text, tokens: lexer::split(text), at: 0, depth: 0, operators: 0, scope, mistakes: Mistakes::default() })
    }

    /// The next word.
    pub fn peek(&self) -> Token<'a> {
        self.tokens[self.at]
    }

    /// The word after the next.
    pub fn peek_second(&self) -> Token<'a> {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    /// Takes the next word.
    pub fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    /// Whether the next word is this keyword, in any case.
    pub fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
    }

    /// Takes the next word if it is this keyword.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.at += 1;
        }
        found
    }

    /// Whether the next word is this mark.
    pub fn is_mark(&self, mark: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Mark && token.text == mark
    }

    /// Takes the next word if it is this mark.
    pub fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes this mark, or fails.
    pub fn expect_mark(&mut self, mark: &str) -> Result<(), String> {
        if self.take_mark(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error that the next word is.
    pub fn unexpected(&self) -> String {
        let token = self.peek();
        let from = self.tokens[self.at.saturating_sub(1)].at;
        let end = |token: Token<'_>| if token.kind == Kind::End { self.text.len() } else { token.at + token.text.len() };
        let near = &self.text[from..end(self.peek_second())];
        format!("Syntax error; token: \"{}\", near: \"{}\"", token.text, near.trim_end())
    }

    /// Enters parentheses or a call; [`Parser::leave`] it afterwards.
    pub fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_many(OPERATORS_MAX + 1));
        }
        Ok(())
    }

    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Where the parenthesis that opens here closes; where it does not, the end.
    pub fn closing(&self) -> usize {
        let mut open = 0usize;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            match (token.kind, token.text) {
                (Kind::Mark, "(") => open += 1,
                (Kind::Mark, ")") if open <= 1 => return at,
                (Kind::Mark, ")") => open -= 1,
                _ => {}
            }
        }
        self.tokens.len() - 1
    }

    /// Whether the next word comes right after the one at `closing`.
    pub fn follows(&self, closing: usize) -> bool {
        self.at == closing + 1
    }

    /// Counts an operator or a function.
    pub fn operator(&mut self) {
        self.operators += 1;
    }

    /// Fails where there is something left, or where there were too many operators.
    pub fn end(&self) -> Result<(), String> {
        if self.peek().kind != Kind::End {
            return Err(self.unexpected());
        }
        if self.operators > OPERATORS_MAX {
            return Err(too_many(self.operators));
        }
        Ok(())
    }

    /// A document path.
    pub fn path(&mut self) -> Result<Path, String> {
        let attribute = self.identifier()?;
        let mut steps = Vec::new();
        loop {
            if self.take_mark(".") {
                steps.push(Step::Name(self.identifier()?));
            } else if self.is_mark("[") {
                self.at += 1;
                let token = self.peek();
                let index =
                    (token.kind == Kind::Index && token.text.bytes().all(|b| b.is_ascii_digit())).then(|| token.text.parse::<usize>());
                let Some(index) = index else { return Err(self.unexpected()) };
                let Ok(index) = index else {
                    return Err(format!("List index is not within the allowable range; index: [{}]", token.text));
                };
                self.at += 1;
                self.expect_mark("]")?;
                steps.push(Step::Index(index));
            } else {
                return Ok(Path { attribute, steps });
            }
        }
    }

    fn identifier(&mut self) -> Result<String, String> {
        let token = self.peek();
        match token.kind {
            Kind::Word => {
                self.at += 1;
                if reserved::is_reserved(token.text) {
                    note(&mut self.mistakes.reserved, || format!("Attribute name is a reserved keyword; reserved keyword: {}", token.text));
                }
                Ok(token.text.to_owned())
            }
            Kind::Name => {
                self.at += 1;
                if let Some(name) = self.scope.name(token.text) {
                    return Ok(name.to_owned());
                }
                let mistake =
                    || format!("An expression attribute name used in the document path is not defined; attribute name: {}", token.text);
                note(&mut self.mistakes.name, mistake);
                note(&mut self.mistakes.undefined, mistake);
                Ok(token.text.to_owned())
            }
            Kind::Value | Kind::Index | Kind::Mark | Kind::Unknown | Kind::End => Err(self.unexpected()),
        }
    }

    /// A `:value`, if one comes next. An undefined one is a mistake and counts as null.
    pub fn take_value(&mut self) -> Option<Value> {
        let token = self.peek();
        if token.kind != Kind::Value {
            return None;
        }
        self.at += 1;
        if let Some(value) = self.scope.value(token.text) {
            return Some(value.clone());
        }
        let mistake = || format!("An expression attribute value used in expression is not defined; attribute value: {}", token.text);
        note(&mut self.mistakes.value, mistake);
        note(&mut self.mistakes.undefined, mistake);
        Some(Value::Null)
    }

    /// Notes the first clash of `path` with one of `others`.
    pub fn note_clash(&mut self, others: &[Path], path: &Path) {
        use super::super::path::{Clash, clash};
        for other in others {
            let (slot, word) = match clash(other, path) {
                None => continue,
                Some(Clash::Overlap) => (&mut self.mistakes.overlap, "overlap"),
                Some(Clash::Conflict) => (&mut self.mistakes.conflict, "conflict"),
            };
            note(slot, || {
                format!(
                    "Two document paths {word} with each other; must remove or rewrite one of these paths; path one: {other}, path two: {path}"
                )
            });
        }
    }
}

fn too_many(operators: usize) -> String {
    format!("The expression contains too many operators; operator count: {operators}")
}
