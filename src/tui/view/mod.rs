//! Draws a state: one file a screen. Pure: a state, a theme and prices in, cells and what can be clicked out.

mod cost;
mod data;
mod detail;
mod help;
mod invocations;
mod logs;
mod overview;
mod paint;
mod problems;
mod theme;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::input::{BINDINGS, Binding};
use super::money::{Money, Prices};
use super::state::{Hit, Overlay, Screen, State};
use super::text;
use crate::cost::Work;
pub use theme::Theme;

/// What was drawn that can be clicked, and how many rows a list had.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    hits: Vec<(Rect, Hit)>,
    pub page: usize,
}

impl Drawn {
    /// What is at a place; of what lies over another, the upper.
    pub fn hit(&self, column: u16, row: u16) -> Option<Hit> {
        let inside = |area: &Rect| area.contains(ratatui::layout::Position { x: column, y: row });
        self.hits.iter().rev().find(|(area, _)| inside(area)).map(|(_, hit)| *hit)
    }
}

/// What screens draw with.
struct Canvas<'a> {
    state: &'a State,
    theme: Theme,
    prices: &'a dyn Prices,
    /// Whether there are prices at all.
    priced: bool,
    buffer: &'a mut Buffer,
    drawn: Drawn,
}

/// Columns of an amount as [`Money::short`] words the smallest: `≤$0.000000012`.
const PRICE_WIDTH: usize = 13;

/// Smaller than this nothing can be read.
const WIDTH_MIN: u16 = 40;
const HEIGHT_MIN: u16 = 10;

/// Draws everything into a buffer.
pub fn draw(state: &State, theme: Theme, prices: &dyn Prices, buffer: &mut Buffer) -> Drawn {
    let area = buffer.area;
    let priced = !prices.providers().is_empty();
    let mut canvas = Canvas { state, theme, prices, priced, buffer, drawn: Drawn { hits: Vec::new(), page: 1 } };
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        canvas.put(area, 0, &[("emu: this window is too small", theme.bold())]);
        return canvas.drawn;
    }
    let (top, rest) = split_top(area, 1);
    let (body, bottom) = split_bottom(rest, 1);
    canvas.tabs(top);
    match state.screen {
        Screen::Overview => canvas.overview(body),
        Screen::Invocations if state.detail.is_some() => canvas.detail(body),
        Screen::Invocations => canvas.invocations(body),
        Screen::Data => canvas.data(body),
        Screen::Cost => canvas.cost(body),
        Screen::Logs => canvas.logs(body),
        Screen::Problems => canvas.problems(body),
    }
    canvas.foot(bottom);
    match &state.overlay {
        Some(Overlay::Help { scroll }) => canvas.help(area, *scroll),
        Some(Overlay::Confirm { question, .. }) => canvas.confirm(area, question),
        None => {}
    }
    canvas.scrub();
    canvas.drawn
}

/// The first rows of an area, and the rest.
fn split_top(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// An area without its last rows, and those.
fn split_bottom(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let (upper, lower) = split_top(area, area.height - rows);
    (upper, lower)
}

/// The first columns of an area, and the rest.
fn split_left(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    (Rect { width: columns, ..area }, Rect { x: area.x + columns, width: area.width - columns, ..area })
}

impl Canvas<'_> {
    /// The first line: the project, the screens, how many problems there are.
    fn tabs(&mut self, area: Rect) {
        let state = self.state;
        let mut x = self.put(area, 0, &[("emu ", self.theme.title())]);
        let wide = area.width >= 120;
        if wide {
            let name = format!("{} ({})  ", state.about.project, state.about.stage);
            x = self.put_at(area, x, 0, &[(&name, self.theme.plain())]);
        }
        for (at, screen) in Screen::ALL.into_iter().enumerate() {
            let (errors, warnings) = state.problems.standing();
            let badge = match screen {
                Screen::Problems if errors + warnings > 0 => format!("({})", errors + warnings),
                _ => String::new(),
            };
            let style = match screen {
                _ if screen == state.screen => self.theme.bold().patch(self.theme.selected()),
                Screen::Problems if errors > 0 => self.theme.bad(),
                Screen::Problems if warnings > 0 => self.theme.warn(),
                _ => self.theme.plain(),
            };
            let label = format!(" {} {}{badge} ", at + 1, screen.name());
            let from = x;
            x = self.put_at(area, x, 0, &[(&label, style)]);
            self.drawn.hits.push((Rect { x: from, width: x.saturating_sub(from), ..area }, Hit::Tab(screen)));
        }
        if wide {
            let clock = format!("{} UTC ", text::clock(state.now));
            self.put_right(area, 0, &clock, self.theme.dim());
        }
    }

    /// The last line: what is typed, what was said, or what keys do here.
    fn foot(&mut self, area: Rect) {
        let state = self.state;
        if let Some(typed) = &state.typing {
            self.put(area, 0, &[("/", self.theme.title()), (typed, self.theme.plain()), ("█", self.theme.dim())]);
            self.put_right(area, 0, "Enter keeps it · Esc drops it ", self.theme.dim());
            return;
        }
        if let Some(said) = &state.said {
            let style = if said.failed { self.theme.bad() } else { self.theme.good() };
            let sign = if said.failed { "✗ " } else { "✓ " };
            self.put(area, 0, &[(sign, style), (&said.text, style)]);
            return;
        }
        let dropped = if state.dropped > 0 { format!(" {} not shown ", text::counted(state.dropped, "record")) } else { String::new() };
        self.put_right(area, 0, &dropped, self.theme.warn());
        let (scope, mut end) = (state.scope(), area.right().saturating_sub(text::width(&dropped) as u16));
        let hinted = |binding: &&Binding| binding.is_in(scope) && !binding.hint.is_empty() && state.can(binding.action());
        let width = |binding: &Binding| (text::width(&binding.key()) + text::width(binding.hint) + 3) as u16;
        // What is the same everywhere stands at the right and is never the one that finds no room.
        for binding in BINDINGS.iter().rev().filter(hinted).filter(|binding| binding.is_general()) {
            end = end.saturating_sub(width(binding));
            self.hint(area, end.max(area.x), binding);
        }
        let mut x = area.x;
        for binding in BINDINGS.iter().filter(hinted).filter(|binding| !binding.is_general()) {
            if x + width(binding) > end {
                break;
            }
            self.hint(area, x, binding);
            x += width(binding);
        }
    }

    fn hint(&mut self, area: Rect, x: u16, binding: &Binding) {
        let (accent, dim, plain) = (self.theme.accent(), self.theme.dim(), self.theme.plain());
        self.put_at(area, x, 0, &[(&binding.key(), accent), (" ", plain), (binding.hint, dim)]);
    }

    /// What something costs, in a word; nothing where there are no prices.
    fn price(&self, work: &Work) -> String {
        if self.priced { self.prices.cost(self.state.costs.provider, work).short() } else { String::new() }
    }

    fn money(&self, work: &Work) -> Option<Money> {
        self.priced.then(|| self.prices.cost(self.state.costs.provider, work))
    }

    /// What keeping costs for a month; `None` where nothing is kept that has a price.
    fn keeping(&self) -> Option<Money> {
        self.money(&Work::counted(&self.state.counts.kept)).filter(|money| *money != Money::default())
    }

    /// No character that does something to a terminal gets past here, whatever a screen did with what it was given.
    fn scrub(&mut self) {
        for cell in &mut self.buffer.content {
            if cell.symbol().chars().any(text::is_harmful) {
                cell.set_symbol("·");
            }
        }
    }
}

/// Some words, each in its style.
fn spans<'a>(words: &[(&'a str, Style)]) -> Line<'a> {
    Line::from(words.iter().map(|(word, style)| Span::styled(text::line(word), *style)).collect::<Vec<_>>())
}
