//! The steps between input and output. Their order is sharp's own, whatever order they were asked for in.

use serde::Deserialize;

use super::blend::{Blend, lay};
use super::geometry::{Area, Frame, Preshrink, Size, Wish, frame, place, scaled, turned};
use super::pixels::{Colour, Ground, Pixels};
use super::resample::Kernel;
use super::source::{Parts, Source, Taken, upright};
use super::{Halt, Problem};

/// Everything that was asked for between input and output.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Steps {
    auto_orient: bool,
    /// Whether the EXIF orientation must be followed before anything is cut out.
    orient_before: bool,
    /// Whether turning and mirroring come before resizing.
    rotate_before: bool,
    /// Right angles, clockwise.
    quarters: u32,
    /// Any other angle, clockwise.
    degrees: f64,
    rotation_background: Colour,
    flip: bool,
    flop: bool,
    trim: Option<Trim>,
    extract_pre: Option<Area>,
    extract_post: Option<Area>,
    resize: Wish,
    resize_background: Colour,
    kernel: Kernel,
    fast_shrink_on_load: bool,
    extend: Option<Extend>,
    flatten: Option<Colour>,
    greyscale: bool,
    threshold: u8,
    threshold_greyscale: bool,
    /// -1 for a slight one.
    blur_sigma: f64,
    blur_least: f64,
    linear: Option<(Vec<f64>, Vec<f64>)>,
    negate: bool,
    negate_alpha: bool,
    composite: Vec<Overlay>,
    remove_alpha: bool,
    /// 0 to 1.
    ensure_alpha: Option<f64>,
    extract_channel: Option<usize>,
    /// Whether grey pictures stay in one channel of colour.
    grey_output: bool,
    is_raw_output: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trim {
    background: Option<Colour>,
    threshold: f64,
    line_art: bool,
    margin: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extend {
    top: u32,
    bottom: u32,
    left: u32,
    right: u32,
    background: Colour,
    with: Ground,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overlay {
    input: Source,
    blend: Blend,
    tile: bool,
    /// Where its corner is; by `gravity` where nothing is said.
    offset: Option<(i64, i64)>,
    gravity: u8,
}

/// What the steps made.
pub struct Done {
    pub pixels: Pixels,
    /// Whether colours were weighted by opacity on the way.
    pub was_premultiplied: bool,
    /// How far the upper left corner moved when borders were cut off, as sharp counts: not above 0.
    pub trim_offset: Option<(i64, i64)>,
}

/// The picture on its way, and how much of it is held.
struct Way<'a> {
    pixels: Pixels,
    halt: &'a Halt,
}

impl Way<'_> {
    fn then(&mut self, step: impl FnOnce(Pixels, &Halt) -> Result<Pixels, Problem>) -> Result<(), Problem> {
        self.halt.check()?;
        self.halt.holds(self.pixels.data.len());
        let empty = Pixels { size: self.pixels.size, channels: self.pixels.channels, data: Vec::new() };
        self.pixels = step(std::mem::replace(&mut self.pixels, empty), self.halt)?;
        self.halt.holds(self.pixels.data.len());
        Ok(())
    }

    /// A step that makes a picture of the same size with up to four channels.
    fn channels(&mut self, step: impl FnOnce(Pixels) -> Pixels) -> Result<(), Problem> {
        self.then(|pixels, halt| {
            halt.room(pixels.size.bytes(4))?;
            Ok(step(pixels))
        })
    }
}

impl Steps {
    /// Takes the steps.
    pub fn run(&self, taken: Taken, parts: &mut Parts<'_>, halt: &Halt) -> Result<Done, Problem> {
        let (auto_quarters, auto_flop) = if self.auto_orient { upright(taken.about.orientation) } else { (0, false) };
        let mut way = Way { pixels: taken.pixels, halt };
        let mut done_before = (false, false);

        let turns = !self.quarters.is_multiple_of(4) || self.degrees != 0.0;
        let rotates_before = self.rotate_before && (turns || self.flip || self.flop);
        if rotates_before || self.orient_before {
            done_before.0 = true;
            way.then(|pixels, halt| pixels.quarters(auto_quarters, halt))?;
            if auto_flop {
                way.then(Pixels::flop)?;
            }
        }
        if rotates_before {
            done_before.1 = true;
            self.mirror(&mut way, self.flop)?;
            way.then(|pixels, halt| pixels.quarters(self.quarters, halt))?;
            self.turn(&mut way)?;
        }

        let mut trim_offset = None;
        if let Some(trim) = &self.trim {
            trim_offset = Some(trim.cut(&mut way)?);
        }
        if let Some(area) = self.extract_pre {
            way.then(|pixels, _| pixels.extract(area))?;
        }

        let (late_quarters, late_flop) = if done_before.0 { (0, false) } else { (auto_quarters, auto_flop) };
        let wish = if late_quarters % 2 == 1 {
            Wish { width: self.resize.height, height: self.resize.width, ..self.resize.clone() }
        } else {
            self.resize.clone()
        };
        let may_preshrink = self.extract_pre.is_none() && self.trim.is_none() && !done_before.0 && !done_before.1;
        let preshrink = match taken.format {
            "jpeg" if may_preshrink => Preshrink::Jpeg { fast: self.fast_shrink_on_load },
            "webp" if may_preshrink && self.fast_shrink_on_load => Preshrink::WebP,
            _ => Preshrink::No,
        };
        let size = scaled(way.pixels.size, &wish, preshrink);

        if let Some(ground) = self.flatten {
            way.channels(|pixels| pixels.flatten(ground))?;
        }
        if self.greyscale {
            way.channels(Pixels::grey)?;
        }
        if !self.composite.is_empty() {
            way.channels(|pixels| pixels.with_opacity(255))?;
        }
        let was_premultiplied = way.pixels.has_opacity() && (size != way.pixels.size || self.blur_sigma != 0.0);
        if size != way.pixels.size {
            way.then(|pixels, halt| pixels.resize(size, self.kernel, halt))?;
        }
        way.then(|pixels, halt| pixels.quarters(late_quarters, halt))?;
        if done_before.1 {
            if late_flop {
                way.then(Pixels::flop)?;
            }
        } else {
            self.mirror(&mut way, self.flop != late_flop)?;
            way.then(|pixels, halt| pixels.quarters(self.quarters, halt))?;
        }

        match frame(way.pixels.size, &self.resize) {
            Frame::Keep => {}
            Frame::Crop(area) => way.then(|pixels, _| pixels.extract(area))?,
            Frame::Embed { size, left, top } => {
                way.then(|pixels, halt| pixels.embed(size, left, top, self.resize_background, Ground::Background, halt))?;
            }
        }
        if !self.rotate_before {
            self.turn(&mut way)?;
        }
        if let Some(area) = self.extract_post {
            way.then(|pixels, _| pixels.extract(area))?;
        }
        if let Some(extend) = &self.extend {
            extend.run(&mut way)?;
        }
        if self.threshold > 0 {
            if self.threshold_greyscale {
                way.channels(Pixels::grey)?;
            }
            way.pixels.each(true, |value| if value >= self.threshold { 255 } else { 0 });
        }
        if self.blur_sigma > 0.0 {
            way.then(|pixels, halt| pixels.blur(self.blur_sigma, self.blur_least.clamp(0.001, 1.0), halt))?;
        } else if self.blur_sigma < 0.0 {
            way.then(|pixels, halt| pixels.soften(halt))?;
        }
        if !self.composite.is_empty() {
            way.channels(Pixels::rgb)?;
            for overlay in &self.composite {
                overlay.lay(&mut way, parts)?;
            }
        }
        if let Some((slopes, offsets)) = &self.linear {
            way.pixels.linear(slopes, offsets)?;
        }
        if self.remove_alpha {
            way.channels(Pixels::without_opacity)?;
        }
        if let Some(opacity) = self.ensure_alpha {
            way.channels(|pixels| pixels.with_opacity((opacity * 255.0) as u8))?;
        }
        self.finish(&mut way)?;
        Ok(Done { pixels: way.pixels, was_premultiplied, trim_offset })
    }

    fn mirror(&self, way: &mut Way<'_>, flop: bool) -> Result<(), Problem> {
        if self.flip {
            way.then(Pixels::flip)?;
        }
        if flop {
            way.then(Pixels::flop)?;
        }
        Ok(())
    }

    fn turn(&self, way: &mut Way<'_>) -> Result<(), Problem> {
        if self.degrees == 0.0 {
            return Ok(());
        }
        let size = turned(way.pixels.size, self.degrees);
        way.then(|pixels, halt| pixels.turn(self.degrees, size, self.rotation_background, halt))
    }

    /// The colours that are written, and which of them.
    fn finish(&self, way: &mut Way<'_>) -> Result<(), Problem> {
        let grey = self.grey_output || (self.greyscale && self.is_raw_output);
        way.channels(|pixels| if grey { pixels.grey() } else { pixels.rgb() })?;
        if let Some(channel) = self.extract_channel {
            let last = way.pixels.channels - 1;
            let channel = if channel == 3 && way.pixels.has_opacity() { last } else { channel };
            if channel > last {
                return Err(Problem::new(format!("Cannot extract channel {channel} from image with channels 0-{last}")));
            }
            way.channels(|pixels| pixels.channel(channel))?;
        }
        if self.negate {
            way.pixels.each(self.negate_alpha, |value| 255 - value);
        }
        if grey && self.is_raw_output && way.pixels.channels == 2 {
            way.channels(Pixels::without_opacity)?;
        }
        Ok(())
    }
}

impl Trim {
    fn cut(&self, way: &mut Way<'_>) -> Result<(i64, i64), Problem> {
        way.halt.holds(way.pixels.data.len());
        let Some(found) = way.pixels.trimmed(self.background, self.threshold, self.line_art, way.halt)? else { return Ok((0, 0)) };
        let Size { width, height } = way.pixels.size;
        let (left, top) = (found.left.saturating_sub(self.margin), found.top.saturating_sub(self.margin));
        let right = (found.left + found.width).saturating_add(self.margin).min(width);
        let bottom = (found.top + found.height).saturating_add(self.margin).min(height);
        way.then(|pixels, _| pixels.extract(Area { left, top, width: right - left, height: bottom - top }))?;
        Ok((-i64::from(left), -i64::from(top)))
    }
}

impl Extend {
    fn run(&self, way: &mut Way<'_>) -> Result<(), Problem> {
        let side = |own: u32, before: u32, after: u32| own.checked_add(before).and_then(|sum| sum.checked_add(after));
        let size = way.pixels.size;
        let (width, height) = (side(size.width, self.left, self.right), side(size.height, self.top, self.bottom));
        let (Some(width), Some(height)) = (width, height) else { return Err(Problem::new("embed: the picture would be too large")) };
        if (Size { width, height }) == size {
            return Ok(());
        }
        way.then(|pixels, halt| pixels.embed(Size { width, height }, self.left, self.top, self.background, self.with, halt))
    }
}

impl Overlay {
    fn lay(&self, way: &mut Way<'_>, parts: &mut Parts<'_>) -> Result<(), Problem> {
        way.halt.holds(way.pixels.data.len());
        let mut over = self.input.take(parts, true, way.halt)?.pixels;
        let ground = way.pixels.size;
        if over.size.width > ground.width || over.size.height > ground.height {
            return Err(Problem::new("Image to composite must have same dimensions or smaller"));
        }
        way.halt.room(over.size.bytes(4).saturating_mul(2))?;
        over = over.rgb().with_opacity(255);
        if !self.tile {
            let (left, top) = self.offset.unwrap_or_else(|| place(ground, over.size, self.gravity));
            return lay(&mut way.pixels, &over, left, top, self.blend, way.halt);
        }
        // Tiles cover the ground, and the place says which part of all of them is seen.
        let side = |ground: u32, own: u32, odd: bool| own.saturating_mul(ground.div_ceil(own) | u32::from(odd));
        let all = Size {
            width: side(ground.width, over.size.width, matches!(self.gravity, 0 | 1 | 3)),
            height: side(ground.height, over.size.height, matches!(self.gravity, 0 | 2 | 4)),
        };
        let (left, top) = match self.offset {
            Some((left, top)) => (left.min(i64::from(all.width - ground.width)), top.min(i64::from(all.height - ground.height))),
            None => place(all, ground, self.gravity),
        };
        if left < 0 || top < 0 {
            return Err(Problem::new("extract_area: bad extract area"));
        }
        let before = |seen: i64, own: u32| (-seen).rem_euclid(i64::from(own)) as u32;
        let (left, top) = (before(left, over.size.width), before(top, over.size.height));
        way.halt.room(ground.bytes(4).saturating_add(over.data.len() as u64))?;
        let tiles = over.embed(ground, left, top, [0; 4], Ground::Repeat, way.halt)?;
        lay(&mut way.pixels, &tiles, 0, 0, self.blend, way.halt)
    }
}
