# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The HTML of cards, tables and log, in which every text of a message is escaped."""

import math
import time
from collections.abc import Sequence
from html import escape

from emotion_perception.core.rendering.palette import label_color, text_color
from emotion_perception.web.graph import LogLine, NodeView, TopicView, shown
from emotion_perception.web.tracks import MAX_CARDS, MINUTE_S, TrackView

_WIDTH, _HEIGHT = 240, 60  # of a chart, in its own units
_COLUMNS = ("processed", "dropped", "failed")
_SIGNS = {"ok": "✓", "warn": "!", "error": "✗", "stale": "?", "": "·"}


def cards_html(tracks: Sequence[TrackView], *, crops: bool) -> str:
    """Returns a card for each of the largest twelve tracks, in the order of their `track_id`.

    Args:
        tracks: of one camera.
        crops: whether a card has a place for the crop, which the page's script cuts out of the image.
    """
    if not tracks:
        return '<p class="ep-none">No face is seen.</p>'
    largest = sorted(tracks, key=lambda track: track.emotion.face.box.area, reverse=True)[:MAX_CARDS]
    kept = [track for track in tracks if track in largest]
    more = f'<p class="ep-none">{len(tracks) - MAX_CARDS} smaller faces more</p>' if len(tracks) > MAX_CARDS else ""
    return "".join(_card(track, crops) for track in kept) + more


def nodes_html(nodes: Sequence[NodeView]) -> str:
    """Returns the table of the nodes."""
    head = ("", "node", "state", "rate", "age", *_COLUMNS, "message")
    return _table("Nodes", head, [_node_row(node) for node in nodes])


def topics_html(topics: Sequence[TopicView]) -> str:
    """Returns the table of the topics."""
    rows = [
        "<tr>"
        + "".join(
            f"<td>{escape(shown(cell))}</td>"
            for cell in (
                topic.name,
                topic.rate_hz and f"{topic.rate_hz} Hz",
                topic.age_ms and f"{topic.age_ms} ms",
                topic.drops,
                topic.publishers,
                topic.subscribers,
                topic.kind,
            )
        )
        + "</tr>"
        for topic in topics
    ]
    return _table("Topics", ("topic", "rate", "age", "drops", "publishers", "subscribers", "type"), rows)


def log_html(lines: Sequence[LogLine]) -> str:
    """Returns the lines of the log, newest first."""
    if not lines:
        return '<p class="ep-none">No warnings and no errors.</p>'
    rows = [
        f'<li class="ep-{line.level.lower()}"><time>{time.strftime("%H:%M:%S", time.localtime(line.time_s))}</time> '
        f"<b>{escape(line.level)}</b> <span>{escape(line.node)}</span> {escape(line.text)}</li>"
        for line in lines
    ]
    return f'<ul class="ep-log">{"".join(rows)}</ul>'


def _card(track: TrackView, crops: bool) -> str:
    emotion, box = track.emotion, track.emotion.face.box
    label = shown(emotion.label) or "no prediction yet"
    color = label_color(emotion.label, uncertain=emotion.uncertain)
    uncertain = '<span class="ep-uncertain">uncertain</span>' if emotion.uncertain else ""
    score = f"{_share(emotion.score):.0%}" if emotion.label else ""
    crop = (
        f'<canvas class="ep-crop" width="96" height="96" role="img" aria-label="face of track {emotion.face.track_id}" '
        f'data-box="{box.x_min},{box.y_min},{box.width},{box.height}"></canvas>'
        if crops
        else ""
    )
    seen = "" if track.seen_s > -0.5 else f"<span>seen {-track.seen_s:.0f} s ago</span>"
    return (
        f'<article class="ep-card" data-track="{emotion.face.track_id}" style="border-color:{color}">'
        f"<header>{crop}<div><h3>#{emotion.face.track_id} "
        f'<span class="ep-label" style="background:{color};color:{text_color(color)}">{escape(label)}</span> '
        f'<span class="ep-score">{score}</span></h3>'
        f'<div class="ep-marks">{uncertain}<span title="how much the resting expression is taken into account">'
        f"baseline {_share(emotion.baseline_weight):.0%}</span>{seen}</div></div></header>"
        f"{_bars(track)}{_chart(track)}</article>"
    )


def _bars(track: TrackView) -> str:
    shares = track.emotion.smoothed_probabilities.tolist()
    rows = [
        f'<div class="ep-bar"><span>{escape(shown(label))}</span><i><b style="width:{_share(share):.1%};'
        f'background:{label_color(label)}"></b></i><span>{_share(share):.0%}</span></div>'
        for label, share in zip(track.labels, shares, strict=False)
    ]
    return f'<div class="ep-bars">{"".join(rows)}</div>'


def _chart(track: TrackView) -> str:
    """Returns the smoothed probabilities over the last minute of stamp time as SVG."""
    lines = []
    for index, label in enumerate(track.labels):
        shares = [_share(probabilities[index]) for probabilities in track.probabilities]
        if not shares or max(shares) < 0.03:
            continue
        points = " ".join(
            f"{_WIDTH * (1 + at_s / MINUTE_S):.0f},{_HEIGHT * (1 - share):.0f}"
            for at_s, share in zip(track.times_s, shares, strict=True)
        )
        title = f"<title>{escape(shown(label))}</title>"
        lines.append(f'<polyline points="{points}" stroke="{label_color(label)}">{title}</polyline>')
    return (
        f'<svg class="ep-chart" viewBox="0 -2 {_WIDTH} {_HEIGHT + 4}" preserveAspectRatio="none" role="img" '
        f'aria-label="smoothed probabilities of the last minute">{"".join(lines)}</svg>'
        '<div class="ep-axis"><span>60 s ago</span><span>smoothed probabilities</span><span>now</span></div>'
    )


def _node_row(node: NodeView) -> str:
    level = "error" if node.state == "gone" else node.level
    message = f"no report for {node.silent_s:.0f} s" if node.state == "gone" else node.message
    rate, age = node.value("rate_hz"), node.value("age_ms")
    cells = (
        node.name,
        node.state,
        f"{rate} Hz" if rate else "",
        f"{age} ms" if age not in ("", "nan") else "",
        *(node.value(name) for name in _COLUMNS),
    )
    return (
        f'<tr class="ep-{level or "none"}" data-node="{escape(node.name)}" data-state="{escape(node.state)}">'
        f'<td aria-label="{escape(level or "unknown")}">{_SIGNS[level]}</td>'
        + "".join(f"<td>{escape(shown(cell))}</td>" for cell in cells)
        + f'<td class="ep-message">{escape(shown(message))}</td></tr>'
    )


def _table(caption: str, head: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in head)
    return (
        f'<div class="ep-scroll" tabindex="0" role="region" aria-label="{caption}"><table><thead><tr>{titles}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _share(value: float) -> float:
    """Returns a share within 0..1; 0 for NaN."""
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0
