// Package image is the commands about images, one file each.
package image
