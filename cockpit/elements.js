/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes and changes elements. All text from outside becomes a text node, never markup. */

export const by_id = id => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);

    for (const [key, value] of Object.entries(attributes))
        if (value !== null)
            made.setAttribute(key, value);
    made.append(...children);
    return made;
}

/* A button that cannot be pressed twice: it is disabled until what it does has ended. */
export function button(label, about, action) {
    const made = element("button", { type: "button", "aria-label": about }, label);

    made.addEventListener("click", async () => {
        made.disabled = true;
        try {
            await action();
        } finally {
            made.disabled = false;
        }
    });
    return made;
}

/* Text of others, whose direction of writing must not change that of the page. */
export const foreign = text => element("bdi", {}, text);

/* An unchanged text stays as it is, so that a selection in it does. */
export function set_text(node, text) {
    if (node.textContent !== text)
        node.textContent = text;
}

export function show(node, shown) {
    if (node.hidden === shown)
        node.hidden = !shown;
}

export const counted = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/* A command to be run elsewhere, with a button that copies it. */
export function command_to_copy(command) {
    const code = element("code", {}, command);
    const copy = button("Copy", `Copy: ${command}`, async () => {
        try {
            await navigator.clipboard.writeText(command);
            set_text(copy, "Copied");
        } catch {
            /* Without https there is no clipboard. */
            window.getSelection().selectAllChildren(code);
        }
    });

    return element("span", { class: "command" }, code, copy);
}
