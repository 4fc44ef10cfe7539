//! What the command line prints for people.

use std::io::{IsTerminal, Write};

use crate::project::{Problem, Renderer};

/// Whether standard error takes colours.
pub fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints why emu stops.
pub fn error(error: &anyhow::Error) {
    let (red, plain) = if colours() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let mut text = format!("{red}error{plain}: {error}");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {cause}"));
    }
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints something that makes a command fail, though emu goes on.
pub fn complaint(text: &str) {
    let (red, plain) = if colours() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let _ = writeln!(std::io::stderr(), "{red}error{plain}: {text}");
}

/// Prints something that is worth a word.
pub fn warning(text: &str) {
    let (yellow, plain) = if colours() { ("\x1b[1;33m", "\x1b[0m") } else { ("", "") };
    let _ = writeln!(std::io::stderr(), "{yellow}warning{plain}: {text}");
}

/// Whether standard output takes colours.
pub fn colours_out() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Columns of the terminal that standard output is; `COLUMNS` where that is set.
pub fn width() -> Option<usize> {
    if let Some(columns) = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()) {
        return Some(columns);
    }
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call fills in a structure of the size that it expects, and fails where standard output is no terminal.
    let answered = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) } == 0;
    (answered && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Prints what is wrong with a project, each thing with its lines.
pub fn problems(problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let mut renderer = Renderer::new(std::env::current_dir().unwrap_or_default(), colours());
    let _ = writeln!(std::io::stderr(), "{}", renderer.render_all(problems).trim_end());
}

/// Prints a result to standard output.
pub fn print(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}
