/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What went wrong, at the top of the page. An alert about the same thing replaces the former one. */

import { button, by_id, element } from "./elements.js";

const shown = new Map();

export function clear_alert(about) {
    shown.get(about)?.remove();
    shown.delete(about);
}

export function alert_about(about, text) {
    const former = shown.get(about);

    if (former?.querySelector("p").textContent === text)
        return;
    clear_alert(about);
    const alert = element("div", { class: "alert", role: "alert" }, element("p", {}, text));
    alert.append(button("Close", "Close this message", () => clear_alert(about)));
    shown.set(about, alert);
    by_id("alerts").append(alert);
}
