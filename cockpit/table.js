/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The courses and their seats. An element that stands for a course or a seat stays while that does, and only what differs
 * is changed: so the keyboard's focus, a selected text and the place in the page stay, too.
 */

import * as actions from "./actions.js";
import { button, by_id, counted, element, foreign, set_text, show } from "./elements.js";
import { count, is_held, is_hold, is_up } from "./seats.js";

const HEADINGS = ["Seat", "User", "Address", "State", "Who is in", "Since", "Received", "Sent"];

/* What of the page the table depends on. */
export const view = { admin: false, refresh: () => {} };

const sections = new Map();

/* --- one seat ------------------------------------------------------------------------------------------- */

function bytes(number) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;

    if (number === null)
        return "";
    for (; number >= 1000 && unit < units.length - 1; unit++)
        number /= 1000;
    return `${unit > 0 && number < 10 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

/* Without the day if that is today. */
function time(utc) {
    const moment = new Date(utc);
    const today = moment.toDateString() === new Date().toDateString();

    return element("time", { datetime: utc, title: moment.toLocaleString() },
        moment.toLocaleString([], { dateStyle: today ? undefined : "medium", timeStyle: "short" }));
}

function who(lease) {
    if (is_hold(lease))
        return [lease.service === "schedule" ? "held for a class" : "held by an administrator"];
    if (lease.remote_host)
        return [foreign(lease.service), " from ", foreign(lease.remote_host)];
    return lease.tty ? [foreign(lease.service), " on ", foreign(lease.tty)] : [foreign(lease.service)];
}

function lines(seat, of_lease, of_kept) {
    const items = seat.leases.map(lease => element("li", {}, ...of_lease(lease)));

    if (seat.kept)
        items.push(element("li", {}, ...of_kept(seat.kept)));
    return items.length > 0 ? [element("ul", {}, ...items)] : [];
}

function state(seat) {
    const badges = [element("span", { class: `badge ${seat.state}` }, seat.state)];

    if (seat.container !== "none")
        badges.push(element("span", { class: `badge ${seat.container}`, title: seat.container_reason }, `container ${seat.container}`));
    if (seat.container_reason)
        badges.push(element("p", {}, foreign(seat.container_reason)));
    return badges;
}

function fill_cells(row, seat) {
    row.cells.address.replaceChildren(...[seat.address, seat.address6].filter(Boolean).map(each => element("div", {}, each)));
    row.cells.state.replaceChildren(...state(seat));
    row.cells.who.replaceChildren(...lines(seat, who, kept => ["kept by ", foreign(kept.command)]));
    row.cells.since.replaceChildren(...lines(seat, lease => [time(lease.since)], kept => ["until ", time(kept.until)]));
}

function new_row(seat) {
    const named = `seat ${seat.seat}${seat.user ? ` of ${seat.user}` : ""}`;
    const about = action => `${action} ${named}`;
    const then_refresh = action => async () => { await action(); await view.refresh(); };
    const row = { shown: "", cells: {}, seat };

    row.element = element("tr", { "data-seat": seat.seat }, element("th", { scope: "row" }, seat.seat), element("td", {}, foreign(seat.user || "")));
    for (const name of ["address", "state", "who", "since", "received", "sent", "actions"]) {
        row.cells[name] = element("td", { class: name });
        row.element.append(row.cells[name]);
    }
    row.start = button("Start", about("Start"), then_refresh(() => actions.start_seat(seat.seat)));
    row.hold = button("Hold", about("Hold"), then_refresh(() => actions.start_seat(seat.seat)));
    row.release = button("Release", about("Release"), then_refresh(() => actions.release(seat.seat)));
    row.stop = button("Stop", about("Stop"), then_refresh(() => actions.stop(seat.seat, named)));
    row.cells.actions.append(row.start, row.hold, row.release, row.stop);
    return row;
}

function update_row(row, seat) {
    const { receive_bytes, transmit_bytes, ...rest } = seat;
    const text = JSON.stringify(rest);

    if (text !== row.shown)
        fill_cells(row, seat);
    row.shown = text;
    row.seat = seat;
    set_text(row.cells.received, bytes(receive_bytes));
    set_text(row.cells.sent, bytes(transmit_bytes));
    show(row.cells.actions, view.admin);
    show(row.start, !is_up(seat));
    show(row.hold, is_up(seat) && !is_held(seat));
    show(row.release, is_held(seat));
    show(row.stop, is_up(seat));
}

/* --- the filter ----------------------------------------------------------------------------------------- */

function words_of(seat) {
    const leases = seat.leases.flatMap(lease => [lease.service, lease.remote_host, lease.tty]);

    return [seat.seat, seat.user, seat.address, seat.address6, seat.state, ...leases].filter(Boolean).join(" ").toLowerCase();
}

/* The rows that the filter lets through; says so if none is left. */
export function apply_filter() {
    const wanted = by_id("filter").value.trim().toLowerCase();
    const with_down = by_id("with-down").checked;

    for (const section of sections.values()) {
        let n = 0;

        for (const row of section.rows.values()) {
            const fits = (with_down || is_up(row.seat)) && words_of(row.seat).includes(wanted);

            show(row.element, fits);
            n += fits;
        }
        show(section.table, n > 0);
        show(section.nothing, n === 0);
        set_text(section.nothing, wanted ? "No seat fits the filter." : "No seat is up.");
    }
}

/* --- one course ----------------------------------------------------------------------------------------- */

function new_section(course) {
    const named = `course ${course}`;
    const section = { rows: new Map(), n_seats: 0, exam_shown: "" };
    const then_refresh = action => async () => { await action(); await view.refresh(); };

    section.gateway = element("span", { class: "gateway" });
    section.exam = element("span", { class: "badge exam" });
    section.counts = element("p", { class: "counts" });
    section.start = button("Start all", `Start all seats of ${named}`, then_refresh(() => actions.start_course(course, named, section.n_seats)));
    section.stop = button("Stop all", `Stop all seats of ${named}`, then_refresh(() => actions.stop(course, named)));
    section.buttons = element("span", { class: "buttons" }, section.start, section.stop);
    section.actions_heading = element("th", { scope: "col" }, element("span", { class: "for-readers" }, "Actions"));
    section.body = element("tbody");
    section.table = element("table", {}, element("caption", { class: "for-readers" }, `Seats of ${named}`),
        element("thead", {}, element("tr", {}, ...HEADINGS.map(heading => element("th", { scope: "col" }, heading)), section.actions_heading)), section.body);
    section.nothing = element("p", { class: "nothing" });
    section.element = element("section", { "data-course": course, "aria-label": `Course ${course}` },
        element("div", { class: "heading" }, element("h2", {}, `Course ${course}`), section.gateway, section.exam, section.counts, section.buttons), section.table, section.nothing);
    return section;
}

/* exam: null if the course is in none. Its end is null until somebody stops it. */
function update_exam(section, exam) {
    const shown = JSON.stringify(exam);

    if (shown !== section.exam_shown)
        section.exam.replaceChildren("exam", ...(exam?.until ? [" until ", time(exam.until)] : []));
    section.exam_shown = shown;
    show(section.exam, exam !== null);
}

function counts_text({ seats, up, failed, logins, held }) {
    return `${up} of ${counted(seats, "seat")} up, ${counted(logins, "login")}, ${held} held` + (failed > 0 ? `, ${failed} failed` : "");
}

function keep_only(map, keys) {
    for (const [key, item] of map)
        if (!keys.has(key)) {
            item.element.remove();
            map.delete(key);
        }
}

/* Appends new items, and moves only those that are at the wrong place. */
function put_in_order(parent, elements) {
    elements.forEach((each, i) => {
        if (parent.children[i] !== each)
            parent.insertBefore(each, parent.children[i] || null);
    });
}

function update_section(section, course) {
    keep_only(section.rows, new Set(course.seats.map(seat => seat.seat)));
    for (const seat of course.seats) {
        if (!section.rows.has(seat.seat))
            section.rows.set(seat.seat, new_row(seat));
        update_row(section.rows.get(seat.seat), seat);
    }
    put_in_order(section.body, course.seats.map(seat => section.rows.get(seat.seat).element));
    section.n_seats = course.seats.length;
    set_text(section.gateway, course.gateway || "");
    update_exam(section, course.exam);
    set_text(section.counts, counts_text(count(course.seats)));
    show(section.buttons, view.admin);
    show(section.actions_heading, view.admin);
    show(section.stop, course.seats.some(is_up));
}

export function show_courses(courses) {
    keep_only(sections, new Set(courses.map(course => course.course)));
    for (const course of courses) {
        if (!sections.has(course.course))
            sections.set(course.course, new_section(course.course));
        update_section(sections.get(course.course), course);
    }
    put_in_order(by_id("courses"), courses.map(course => sections.get(course.course).element));
    apply_filter();
}

/* The line of counts, of all courses. */
export function show_counts(courses) {
    const all = courses.flatMap(course => course.seats);

    set_text(by_id("counts"), courses.length > 0 ? `${counted(courses.length, "course")}, ${counts_text(count(all))}.` : "No seat is up.");
}
