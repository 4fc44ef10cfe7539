//! Where pixels come from: a file, raw bytes, or one colour.

use serde::Deserialize;

use super::decode::{self, Bounds, Opened};
use super::geometry::Size;
use super::header::Exif;
use super::pixels::{Colour, Pixels};
use super::{Halt, Problem};

/// An input or an overlay.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub kind: Kind,
    /// Of raw bytes and of one colour.
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    #[serde(default)]
    channels: usize,
    #[serde(default)]
    background: Colour,
    /// 0 where it is not bounded.
    pixels_max: u64,
    /// Whether a file that ends too soon is an error.
    must_be_whole: bool,
    #[serde(default)]
    pub auto_orient: bool,
    #[serde(default)]
    ignore_icc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    File,
    Raw,
    Create,
}

/// The byte strings of a request, in their order.
pub struct Parts<'a> {
    rest: &'a [u8],
    lengths: std::slice::Iter<'a, usize>,
}

impl<'a> Parts<'a> {
    pub fn new(data: &'a [u8], lengths: &'a [usize]) -> Parts<'a> {
        Parts { rest: data, lengths: lengths.iter() }
    }

    fn take(&mut self) -> Result<&'a [u8], Problem> {
        let split = self.lengths.next().and_then(|length| self.rest.split_at_checked(*length));
        let (part, rest) = split.ok_or_else(|| Problem::usage("the parts are longer than the data"))?;
        self.rest = rest;
        Ok(part)
    }
}

/// Pixels, and what their file told of them.
pub struct Taken {
    pub pixels: Pixels,
    pub format: &'static str,
    pub about: Exif,
}

impl Source {
    fn bounds(&self) -> Bounds {
        Bounds { pixels_max: self.pixels_max, must_be_whole: self.must_be_whole }
    }

    /// The size of what is no file.
    pub fn size(&self) -> Result<Size, Problem> {
        let size = Size { width: self.width, height: self.height };
        if size.pixels() == 0 || !(1..=4).contains(&self.channels) {
            return Err(Problem::new("Expected valid width, height and channels to create a new input image"));
        }
        if self.pixels_max > 0 && size.pixels() > self.pixels_max {
            return Err(Problem::new("Input image exceeds pixel limit"));
        }
        Ok(size)
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Opens a file.
    pub fn open<'a>(&self, parts: &mut Parts<'a>, halt: &Halt) -> Result<(Opened<'a>, usize), Problem> {
        let data = parts.take()?;
        Ok((decode::open(data, self.bounds(), halt)?, data.len()))
    }

    /// Makes the pixels. An overlay is brought to an upright position at once.
    pub fn take(&self, parts: &mut Parts<'_>, is_overlay: bool, halt: &Halt) -> Result<Taken, Problem> {
        let mut taken = match self.kind {
            Kind::File => {
                let (opened, _) = self.open(parts, halt)?;
                let (format, about) = (opened.format.name(), opened.about);
                Taken { pixels: opened.pixels(self.ignore_icc, halt)?, format, about }
            }
            Kind::Raw => {
                let size = self.size()?;
                let data = parts.take()?;
                let bytes = size.bytes(self.channels);
                if (data.len() as u64) < bytes {
                    return Err(Problem::new(format!(
                        "VipsImage: memory area too small -- should be {bytes} bytes, you passed {}",
                        data.len()
                    )));
                }
                halt.room(bytes)?;
                let pixels = Pixels { size, channels: self.channels, data: data[..bytes as usize].to_vec() };
                Taken { pixels, format: "raw", about: Exif::default() }
            }
            Kind::Create => {
                let size = self.size()?;
                halt.room(size.bytes(self.channels))?;
                Taken { pixels: Pixels::filled(size, self.channels, &self.background), format: "raw", about: Exif::default() }
            }
        };
        if is_overlay && self.auto_orient {
            let (quarters, mirrored) = upright(taken.about.orientation);
            taken.pixels = taken.pixels.quarters(quarters, halt)?;
            if mirrored {
                taken.pixels = taken.pixels.flop(halt)?;
            }
        }
        Ok(taken)
    }
}

/// What brings a picture of an EXIF orientation upright: right angles clockwise, then whether left and right change.
pub fn upright(orientation: Option<u8>) -> (u32, bool) {
    match orientation {
        Some(2) => (0, true),
        Some(3) => (2, false),
        Some(4) => (2, true),
        Some(5) => (1, true),
        Some(6) => (1, false),
        Some(7) => (3, true),
        Some(8) => (3, false),
        _ => (0, false),
    }
}
