// Package container manages the engine's containers: what is known of each, and what is done with it.
//
// A [Manager] keeps one [Record] for each container in the engine's database. A record is replaced, never changed in
// place, so that it can be read without a lock; only move (state.go) changes the state in it, and a move that is not
// allowed is the error, in Docker's words, that the client gets.
//
// What is done with one container is done one after another (container.op); nothing is held while somebody waits for a
// process. So 20 starts at once have nothing in common but the database, whose writes are put together (store.go).
//
// # When the daemon is killed
//
// A record says what must be found again before it is made: a container is in state "creating" until it is whole, and
// "removing" until nothing of it is left. A start writes nothing beforehand: what it makes is in the bundle, a directory
// with the container's id, and a container with a bundle whose record does not say that it runs has not been started for
// any client. [Manager.Restore] takes over those that run, learns from their shims how others have ended, and removes
// what is half. The order of each is told where it is done: create.go, start.go, exit.go, remove.go, restore.go.
package container
