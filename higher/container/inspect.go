package container

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/dhow-containers/dhow/higher/apparmor"
	"github.com/dhow-containers/dhow/higher/container/oci"
	types "github.com/moby/moby/api/types/container"
	net "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/storage"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ContainerInspect shows all that is known of a container.
func (m *Manager) ContainerInspect(ctx context.Context, name string, size bool) (*types.InspectResponse, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, err
	}
	r := c.record()
	answer := &types.InspectResponse{
		ID: r.ID, Created: r.Created.Format(time.RFC3339Nano), Path: r.Path, Args: r.Args, State: r.show(),
		Image: r.Image.String(), LogPath: r.shownLog(), Name: "/" + r.Name, RestartCount: r.RestartCount,
		Driver: m.Images.Driver(), Platform: r.Platform.OS, ExecIDs: c.execIDs(),
		HostConfig: m.showHostConfig(r), Config: r.Config, Mounts: r.points(), NetworkSettings: r.showNetworkSettings(),
		ImageManifestDescriptor: withPlatform(r.Manifest, r.Platform),
		Storage:                 &storage.Storage{RootFS: &storage.RootFSStorage{Snapshot: &storage.RootFSStorageSnapshot{Name: m.Images.Driver()}}},
	}
	if files := m.filesOf(c); files != nil && !r.StartedAt.IsZero() {
		answer.ResolvConfPath, answer.HostnamePath, answer.HostsPath = files.file("resolv.conf"), files.file("hostname"), files.file("hosts")
	}
	// As with Docker: before its first start a container has the profile that it asks for.
	if profile, err := oci.AppArmorProfile(r.HostConfig, m.Defaults); err == nil && (!r.StartedAt.IsZero() || profile != apparmor.Default) {
		answer.AppArmorProfile = profile
	}
	if size {
		writable, all, err := m.size(ctx, r)
		if err != nil {
			return nil, err
		}
		answer.SizeRw, answer.SizeRootFs = &writable, &all
	}
	return answer, nil
}

// filesOf is the container whose /etc/hosts and so on one has.
func (m *Manager) filesOf(c *container) *container {
	mode := c.record().HostConfig.NetworkMode
	if !mode.IsContainer() {
		return c
	}
	other, err := m.get(mode.ConnectedContainer())
	if err != nil {
		return nil
	}
	return other
}

func (r *Record) shownLog() string {
	if r.HostConfig.LogConfig.Type != "json-file" || r.StartedAt.IsZero() {
		return ""
	}
	return r.LogPath
}

func (r *Record) show() *types.State {
	s := &types.State{
		Status: r.Phase, Running: r.Running(), Paused: r.Phase == Paused, Restarting: r.Phase == Restarting,
		OOMKilled: r.OOMKilled, Dead: r.Phase == Dead, Pid: r.Pid, ExitCode: r.ExitCode, Error: r.Error,
		StartedAt: r.StartedAt.Format(time.RFC3339Nano), FinishedAt: r.FinishedAt.Format(time.RFC3339Nano),
	}
	if h := r.Health; h != nil {
		s.Health = &types.Health{Status: h.Status, FailingStreak: h.FailingStreak, Log: slices.Clone(h.Log)}
	}
	return s
}

// showHostConfig has links as Docker writes them.
func (m *Manager) showHostConfig(r *Record) *types.HostConfig {
	h := *r.HostConfig
	for _, l := range r.Links {
		if c, err := m.get(l.ID); err == nil {
			h.Links = append(h.Links, "/"+c.record().Name+":/"+r.Name+"/"+l.Alias)
		}
	}
	return &h
}

func (r *Record) showNetworkSettings() *types.NetworkSettings {
	s := &types.NetworkSettings{Ports: net.PortMap{}, Networks: r.networks()}
	maps.Copy(s.Ports, r.Ports)
	if r.Running() && r.Pid != 0 && r.networked() {
		sum := sha256.Sum256([]byte(r.ID + r.StartedAt.String()))
		s.SandboxID = hex.EncodeToString(sum[:])
		s.SandboxKey = namespace(r.Pid, "net")
	}
	return s
}

func withPlatform(d *ocispec.Descriptor, p ocispec.Platform) *ocispec.Descriptor {
	if d == nil || d.Platform != nil {
		return d
	}
	with := *d
	with.Platform = &p
	return &with
}

// execIDs are the execs that have not ended; nil for none.
func (c *container) execIDs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.execs))
}
