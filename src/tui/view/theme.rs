//! Colours: the sixteen of every terminal, or none. What a colour says, a word or sign says too.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// False with `NO_COLOR`: bold, dim and reversed remain.
    pub colours: bool,
}

impl Theme {
    fn colour(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    pub fn plain(self) -> Style {
        Style::new()
    }

    /// What is less important. Dim rather than grey, which some palettes make the same as the background.
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn title(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub fn accent(self) -> Style {
        self.colour(Color::Cyan)
    }

    pub fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub fn warn(self) -> Style {
        self.colour(Color::Yellow)
    }

    pub fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn money(self) -> Style {
        self.colour(Color::Yellow)
    }

    pub fn event(self) -> Style {
        self.colour(Color::Magenta)
    }

    pub fn operation(self) -> Style {
        self.colour(Color::Blue)
    }

    /// On top of what the row is.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
