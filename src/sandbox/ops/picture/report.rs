//! What a picture is, without its pixels: the fields of sharp's `metadata`.

use serde_json::json;

use super::source::{Kind, Parts, Source};
use super::{Answer, Halt, Problem};

/// The metadata, JSON. What are bytes in it are lengths under `blobs`, in their order; the bytes are the answer's.
pub fn metadata(source: &Source, parts: &mut Parts<'_>, halt: &Halt) -> Answer {
    if source.kind != Kind::File {
        return created(source).map(|text| (text, Vec::new()));
    }
    let (opened, bytes) = source.open(parts, halt)?;
    let (format, size, header) = (opened.format.name(), opened.size, &opened.header);
    let channels = if header.is_cmyk { 4 } else { opened.channels() };
    let (space, depth) = match (header.is_cmyk, opened.is_deep(), channels) {
        (true, ..) => ("cmyk", "uchar"),
        (_, true, 1 | 2) => ("grey16", "ushort"),
        (_, true, _) => ("rgb16", "ushort"),
        (_, false, 1 | 2) => ("b-w", "uchar"),
        _ => ("srgb", "uchar"),
    };
    let mut told = json!({
        "format": format,
        "mediaType": format!("image/{format}"),
        "size": bytes,
        "width": size.width,
        "height": size.height,
        "space": space,
        "channels": channels,
        "depth": depth,
    });
    if let Some(density) = opened.about.density.or(header.density).filter(|density| *density > 0) {
        told["density"] = json!(density);
    }
    if let Some(chroma) = header.chroma {
        told["chromaSubsampling"] = json!(chroma);
    }
    told["isProgressive"] = json!(header.is_progressive);
    told["isPalette"] = json!(header.is_palette);
    if let Some(bits) = header.bits_per_sample {
        told["bitsPerSample"] = json!(bits);
    }
    if let Some(animation) = &header.animation {
        told["pages"] = json!(animation.delays_ms.len());
        told["loop"] = json!(animation.repeats);
        told["delay"] = json!(animation.delays_ms);
    }
    if let Some(unit) = opened.about.unit {
        told["resolutionUnit"] = json!(unit);
    }
    told["hasProfile"] = json!(opened.icc.is_some());
    told["hasAlpha"] = json!(opened.has_opacity());
    if let Some(orientation) = opened.about.orientation {
        told["orientation"] = json!(orientation);
    }
    let upright = if opened.about.orientation.is_some_and(|orientation| orientation >= 5) { size.turned() } else { size };
    told["autoOrient"] = json!({ "width": upright.width, "height": upright.height });
    let mut data = Vec::new();
    let mut blobs = serde_json::Map::new();
    for (name, blob) in [("exif", &opened.exif), ("icc", &opened.icc), ("iptc", &opened.iptc), ("xmp", &opened.xmp)] {
        if let Some(blob) = blob {
            blobs.insert(name.into(), json!(blob.len()));
            data.extend_from_slice(blob);
        }
    }
    told["blobs"] = blobs.into();
    Ok((told.to_string(), data))
}

fn created(source: &Source) -> Result<String, Problem> {
    let (size, channels) = (source.size()?, source.channels());
    let space = if source.kind == Kind::Raw && channels < 3 { "b-w" } else { "srgb" };
    let told = json!({
        "format": "raw",
        "width": size.width,
        "height": size.height,
        "space": space,
        "channels": channels,
        "depth": "uchar",
        "isProgressive": false,
        "isPalette": false,
        "hasProfile": false,
        "hasAlpha": matches!(channels, 2 | 4),
        "autoOrient": { "width": size.width, "height": size.height },
        "blobs": {},
    });
    Ok(told.to_string())
}
