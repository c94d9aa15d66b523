// Package hello is the image hello-world, made from nothing: its program is assembled here, a greeting behind a dozen
// instructions, so that a first container runs without a registry.
package hello
