package commands

import (
	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/builder"
	"github.com/dhow-containers/dhow/higher/cli/container"
	"github.com/dhow-containers/dhow/higher/cli/context"
	"github.com/dhow-containers/dhow/higher/cli/image"
	"github.com/dhow-containers/dhow/higher/cli/manifest"
	"github.com/dhow-containers/dhow/higher/cli/network"
	"github.com/dhow-containers/dhow/higher/cli/registry"
	"github.com/dhow-containers/dhow/higher/cli/swarm"
	"github.com/dhow-containers/dhow/higher/cli/system"
	"github.com/dhow-containers/dhow/higher/cli/volume"
)

// entries are all commands in the order of `dhow --help`.
func entries() []cli.Entry {
	containers, images := byName(container.Entries()), byName(image.Entries())
	systems := byName(system.Entries())
	all := []cli.Entry{
		containers["run"].As("run", cli.GroupCommon),
		containers["exec"].As("exec", cli.GroupCommon),
		containers["ls"].As("ps", cli.GroupCommon),
		images["build"].As("build", cli.GroupCommon),
		images["pull"].As("pull", cli.GroupCommon),
		images["push"].As("push", cli.GroupCommon),
		images["ls"].As("images", cli.GroupCommon),
		{Name: "login", Short: "Log in to a registry", Group: cli.GroupCommon, New: registry.Login},
		{Name: "logout", Short: "Log out from a registry", Group: cli.GroupCommon, New: registry.Logout},
		{Name: "search", Short: "Look for images in Docker Hub", Group: cli.GroupCommon, New: registry.Search},
		{Name: "version", Short: "Show the versions of client and daemon", Group: cli.GroupCommon, New: system.Version},
		systems["info"].As("info", cli.GroupCommon),

		{Name: "builder", Short: "The cache of builds", Group: cli.GroupManagement, Entries: builder.Entries()},
		{Name: "checkpoint", Short: "Checkpoints of containers", Group: cli.GroupManagement, Entries: container.CheckpointEntries()},
		{Name: "container", Short: "Containers", Group: cli.GroupManagement, Entries: container.Entries()},
		{Name: "context", Short: "Daemons by name", Group: cli.GroupManagement, Entries: context.Entries()},
		{Name: "image", Short: "Images", Group: cli.GroupManagement, Entries: image.Entries()},
		{Name: "manifest", Short: "Manifests and lists of them, for images of several platforms", Group: cli.GroupManagement, Entries: manifest.Entries()},
		{Name: "network", Short: "Networks", Group: cli.GroupManagement, Entries: network.Entries()},
		{Name: "system", Short: "The daemon as a whole", Group: cli.GroupManagement, Entries: system.Entries()},
		{Name: "volume", Short: "Volumes", Group: cli.GroupManagement, Entries: volume.Entries()},
	}
	plugins := swarm.Plugins()
	plugins.Group = cli.GroupManagement
	all = append(all, plugins)
	for _, g := range swarm.Groups() {
		g.Group = cli.GroupSwarm
		all = append(all, g)
	}
	for _, name := range []string{"attach", "commit", "cp", "create", "diff", "export", "kill", "logs", "pause", "port", "rename", "restart", "rm", "start", "stats", "stop", "top", "unpause", "update", "wait"} {
		all = append(all, containers[name].As(name, cli.GroupOther))
	}
	for _, name := range []string{"history", "import", "load", "save", "tag"} {
		all = append(all, images[name].As(name, cli.GroupOther))
	}
	return append(all,
		images["rm"].As("rmi", cli.GroupOther),
		systems["events"].As("events", cli.GroupOther),
		cli.Entry{Name: "inspect", Short: "Show all about anything", Group: cli.GroupOther, New: system.Inspect},
	)
}

func byName(list []cli.Entry) map[string]cli.Entry {
	m := map[string]cli.Entry{}
	for _, e := range list {
		m[e.Name] = e
	}
	return m
}
