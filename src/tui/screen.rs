//! The terminal: taken over, drawn on, and given back as it was, whatever happens.

use std::io::{self, Write};

use base64::Engine as _;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableMouseCapture};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Bytes that a terminal is given for its clipboard at most; many take no more.
const COPY_BYTES_MAX: usize = 74_000;

/// A terminal that is taken over until this is dropped.
pub struct Screen<W: Write> {
    terminal: Terminal<CrosstermBackend<W>>,
    taken: bool,
}

impl Screen<io::Stdout> {
    /// Takes the process's terminal over.
    pub fn take() -> io::Result<Screen<io::Stdout>> {
        crossterm::terminal::enable_raw_mode()?;
        let screen = Screen::over(io::stdout());
        if screen.is_err() {
            restore();
        }
        screen
    }
}

impl<W: Write> Screen<W> {
    fn over(mut out: W) -> io::Result<Screen<W>> {
        execute!(out, EnterAlternateScreen, EnableMouseCapture)?;
        Ok(Screen { terminal: Terminal::new(CrosstermBackend::new(out))?, taken: true })
    }

    /// Draws what has changed.
    pub fn draw<T>(&mut self, draw: impl FnOnce(&mut Buffer) -> T) -> io::Result<T> {
        let mut drawn = None;
        self.terminal.draw(|frame| drawn = Some(draw(frame.buffer_mut())))?;
        drawn.ok_or_else(|| io::Error::other("nothing was drawn"))
    }

    /// Puts a text into the clipboard of whoever looks (OSC 52). False where it is too long.
    pub fn copy(&mut self, text: &str) -> io::Result<bool> {
        if text.len() > COPY_BYTES_MAX {
            return Ok(false);
        }
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let out = self.terminal.backend_mut();
        write!(out, "\x1b]52;c;{encoded}\x07")?;
        Write::flush(out)?;
        Ok(true)
    }

    /// Gives the terminal back, to another program or for good.
    pub fn leave(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.taken) {
            return Ok(());
        }
        let raw = crossterm::terminal::disable_raw_mode();
        leave(self.terminal.backend_mut())?;
        raw
    }

    /// Takes it over again.
    pub fn retake(&mut self) -> io::Result<()> {
        crossterm::terminal::enable_raw_mode()?;
        execute!(self.terminal.backend_mut(), EnterAlternateScreen, EnableMouseCapture)?;
        self.taken = true;
        // Draws everything anew. `clear` would ask the terminal where its cursor is, and wait for an answer among the keys.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((ratatui::layout::Position::ORIGIN, size)))
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to give back.
        let _ = self.leave();
    }
}

fn leave(out: &mut impl Write) -> io::Result<()> {
    queue!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show)?;
    out.flush()
}

/// Gives the process's terminal back, whoever took it: for a panic, before its message is printed.
pub fn restore() {
    // There is nobody to tell.
    let _ = crossterm::terminal::disable_raw_mode();
    let _ = leave(&mut io::stdout());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Tape(Arc<Mutex<Vec<u8>>>);

    impl Write for Tape {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn blank(out: Tape) -> Screen<Tape> {
        let options = ratatui::TerminalOptions { viewport: ratatui::Viewport::Fixed(Rect::new(0, 0, 20, 5)) };
        Screen { terminal: Terminal::with_options(CrosstermBackend::new(out), options).unwrap(), taken: true }
    }

    #[test]
    fn a_panic_gives_the_terminal_back_once() {
        let tape = Tape::default();
        let mut screen = blank(tape.clone());
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            screen.draw(|_| panic!("while drawing")).ok();
        }));
        assert!(panicked.is_err());
        let written = String::from_utf8_lossy(&tape.0.lock().unwrap()).into_owned();
        for sequence in ["\x1b[?1049l", "\x1b[?1000l", "\x1b[?25h"] {
            assert_eq!(written.matches(sequence).count(), 1, "{written:?}");
        }
    }

    #[test]
    fn what_is_copied_cannot_end_the_sequence_that_carries_it() {
        let tape = Tape::default();
        let mut screen = blank(tape.clone());
        assert!(screen.copy("a\x07\x1b\\b").unwrap());
        let written = String::from_utf8_lossy(&tape.0.lock().unwrap()).into_owned();
        assert_eq!(written, "\x1b]52;c;YQcbXGI=\x07");
        assert!(!screen.copy(&"x".repeat(COPY_BYTES_MAX + 1)).unwrap());
    }
}
