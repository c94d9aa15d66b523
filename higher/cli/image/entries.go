package image

import "github.com/dhow-containers/dhow/higher/cli"

// Entries are the commands of `dhow image`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "build", Short: "Build an image (not there yet)", New: Build},
		{Name: "history", Short: "Show how an image came about", New: History},
		{Name: "import", Short: "Make an image of a file system in a tar archive", New: Import},
		{Name: "inspect", Short: "Show all about images", New: Inspect},
		{Name: "load", Short: "Load images from a tar archive", New: Load},
		{Name: "ls", Aliases: []string{"list"}, Short: "List images", New: List},
		{Name: "prune", Short: "Remove unused images", New: Prune},
		{Name: "pull", Short: "Get an image from a registry", New: Pull},
		{Name: "push", Short: "Put an image into a registry", New: Push},
		{Name: "rm", Aliases: []string{"remove"}, Short: "Remove images", New: Remove},
		{Name: "save", Short: "Write images as a tar archive", New: Save},
		{Name: "tag", Short: "Give an image another name", New: Tag},
	}
}
