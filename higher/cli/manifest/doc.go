// Package manifest has the commands about manifest lists: one name for images of several platforms. A list is made here, from
// images that a registry has, and pushed to that registry; no daemon takes part.
package manifest
