//! The files of the board, as they are in the repository: part of the program.

/// A file of the board.
pub(super) struct Asset {
    name: &'static str,
    pub(super) bytes: &'static [u8],
}

impl Asset {
    pub(super) fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        }
    }
}

/// The file of this name, such as `js/main.js`.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

macro_rules! assets {
    ($($name:literal)*) => {
        &[$(Asset { name: $name, bytes: include_bytes!(concat!("../../board/", $name)) }),*]
    };
}

const ASSETS: &[Asset] = assets! {
    "index.html"
    "icon.svg"
    "css/frame.css"
    "css/incident.css"
    "css/list.css"
    "css/overview.css"
    "css/theme.css"
    "js/announcer.js"
    "js/api.js"
    "js/arrivals.js"
    "js/board.js"
    "js/clock.js"
    "js/dom.js"
    "js/facts.js"
    "js/feed.js"
    "js/figures.js"
    "js/filters.js"
    "js/geo.js"
    "js/incident.js"
    "js/incidents.js"
    "js/locations.js"
    "js/main.js"
    "js/period.js"
    "js/plot.js"
    "js/position.js"
    "js/rows.js"
    "js/session.js"
    "js/sign_in.js"
    "js/sse.js"
    "js/stream_state.js"
    "js/timeline.js"
};
