// Package transfer moves images: credentials for registries, pulls, and the display of their progress.
package transfer
