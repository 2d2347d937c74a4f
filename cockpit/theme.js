/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The theme is that of the rest of Cockpit, whose shell keeps the user's choice where all its pages can read it. */

const system = window.matchMedia("(prefers-color-scheme: dark)");

function apply(style) {
    const chosen = style || window.localStorage.getItem("shell:style") || "auto";

    document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen === "auto" && system.matches));
}

export function follow_theme() {
    system.addEventListener("change", () => apply());
    window.addEventListener("storage", event => event.key === "shell:style" && apply());
    window.addEventListener("cockpit-style", event => apply(event.detail?.style));
    apply();
}
