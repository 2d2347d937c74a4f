/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Puts together what rosters and status say: each course with its seats, those that are down included. */

/* By an administrator or for a class: without a process. */
export const is_hold = lease => lease.pid === null;

export const logins_of = seat => seat.leases.filter(lease => !is_hold(lease));
export const is_held = seat => seat.leases.some(is_hold);
export const is_up = seat => seat.state !== "down";

function seat_that_is_down(student) {
    return { seat: student.seat, user: student.user, address: student.address, address6: student.address6, state: "down", container: "none",
        container_reason: null, kept: null, receive_bytes: null, transmit_bytes: null, leases: [] };
}

/* A student who was removed from the roster may still have a seat. */
function merged(students, up) {
    const rest = new Map(up.map(seat => [seat.seat, seat]));
    const seats = students.map(student => {
        const seat = rest.get(student.seat) || seat_that_is_down(student);

        rest.delete(student.seat);
        return seat;
    });

    return [...seats, ...rest.values()];
}

/*
 * rosters: by course; of courses that the user may not list, there are only the seats that are up. Whether a course is in an
 * exam is known if a seat of it is up.
 */
export function courses_of(rosters, status) {
    const courses = new Map();

    for (const [course, roster] of rosters)
        courses.set(course, { course, gateway: roster.gateway, exam: null, seats: merged(roster.students, []) });
    for (const up of status.courses)
        courses.set(up.course, { course: up.course, gateway: up.gateway, exam: up.exam, seats: merged(rosters.get(up.course)?.students || [], up.seats) });
    return [...courses.values()].sort((one, other) => one.course.localeCompare(other.course));
}

/* How many of each there are in a list of seats. */
export function count(seats) {
    return {
        seats: seats.length,
        up: seats.filter(is_up).length,
        failed: seats.filter(seat => seat.state === "failed").length,
        logins: seats.reduce((sum, seat) => sum + logins_of(seat).length, 0),
        held: seats.filter(is_held).length,
    };
}
