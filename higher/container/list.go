package container

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
	net "github.com/moby/moby/api/types/network"
)

// ContainerList lists containers, the newest first: those that run, or all.
func (m *Manager) ContainerList(ctx context.Context, o api.ContainerListOptions) ([]types.Summary, error) {
	matches, err := m.filters(o.Filters)
	if err != nil {
		return nil, err
	}
	var records []*Record
	for _, c := range m.all() {
		records = append(records, c.record())
	}
	if records, err = m.between(records, o.Filters); err != nil {
		return nil, err
	}
	all := o.All || o.Limit > 0 || len(o.Filters["status"]) > 0
	list := &listing{m: m, now: time.Now(), size: o.Size, names: map[string]bool{}}
	summaries := []types.Summary{}
	for _, r := range records {
		if !r.Running() && !all || !matches(r) {
			continue
		}
		if o.Limit > 0 && len(summaries) == o.Limit {
			break
		}
		s, err := list.summary(ctx, r)
		if err != nil {
			return nil, err
		}
		summaries = append(summaries, s)
	}
	return summaries, nil
}

// listing remembers, while a list is made, which names of images still stand for what they did.
type listing struct {
	m     *Manager
	now   time.Time
	size  bool
	names map[string]bool // by "NAME ID"
}

func (l *listing) summary(ctx context.Context, r *Record) (types.Summary, error) {
	s := types.Summary{
		ID: r.ID, Names: []string{"/" + r.Name}, Image: l.imageName(ctx, r), ImageID: r.Image.String(),
		ImageManifestDescriptor: withPlatform(r.Manifest, r.Platform), Command: r.command(), Created: r.Created.Unix(), Ports: r.ports(),
		Labels: r.Config.Labels, State: r.Phase, Status: r.status(l.now),
		NetworkSettings: &types.NetworkSettingsSummary{Networks: summaryNetworks(r)}, Mounts: r.points(),
		Health: &types.HealthSummary{Status: r.health()},
	}
	if s.Labels == nil {
		s.Labels = map[string]string{}
	}
	if r.Health != nil {
		s.Health.FailingStreak = r.Health.FailingStreak
	}
	s.HostConfig.NetworkMode = string(r.HostConfig.NetworkMode)
	s.HostConfig.Annotations = maps.Clone(r.HostConfig.Annotations)
	var err error
	if l.size {
		s.SizeRw, s.SizeRootFs, err = l.m.size(ctx, r)
		if errdefs.IsNotFound(err) {
			err = nil // it is being removed
		}
	}
	return s, err
}

// imageName is the name that was given, or the image's id once the name stands for another.
func (l *listing) imageName(ctx context.Context, r *Record) string {
	key := r.Config.Image + " " + r.Image.String()
	same, known := l.names[key]
	if !known {
		img, err := l.m.Images.Resolve(ctx, r.Config.Image, nil)
		same = err == nil && img.ID == r.Image
		l.names[key] = same
	}
	if same {
		return r.Config.Image
	}
	return r.Image.String()
}

// size is what a container has written, and that with its image.
func (m *Manager) size(ctx context.Context, r *Record) (writable, all int64, err error) {
	if writable, err = m.Images.Usage(ctx, r.ID); err != nil {
		return 0, 0, err
	}
	img, err := m.Images.Resolve(ctx, r.Image.String(), nil)
	if err != nil {
		return writable, writable, nil // removed by force
	}
	size, err := m.Images.ImageSize(ctx, img)
	return writable, writable + size, err
}

func (r *Record) points() []types.MountPoint {
	points := []types.MountPoint{}
	for i := range r.Mounts {
		points = append(points, r.Mounts[i].Point())
	}
	return points
}

// ports are those that are published, and those that are exposed only, of a container that runs.
func (r *Record) ports() []types.PortSummary {
	all := []types.PortSummary{}
	for port, bindings := range r.Ports {
		if len(bindings) == 0 {
			all = append(all, types.PortSummary{PrivatePort: port.Num(), Type: string(port.Proto())})
		}
		for _, b := range bindings {
			if public, err := net.ParsePortRange(b.HostPort); err == nil {
				all = append(all, types.PortSummary{PrivatePort: port.Num(), PublicPort: public.Start(), Type: string(port.Proto()), IP: b.HostIP})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b types.PortSummary) int {
		if a.PrivatePort != b.PrivatePort {
			return int(a.PrivatePort) - int(b.PrivatePort)
		}
		return a.IP.Compare(b.IP)
	})
	return all
}

// summaryNetworks has less than inspect shows.
func summaryNetworks(r *Record) map[string]*net.EndpointSettings {
	all := map[string]*net.EndpointSettings{}
	for name, s := range r.networks() {
		all[name] = &net.EndpointSettings{
			IPAMConfig: s.IPAMConfig, NetworkID: s.NetworkID, EndpointID: s.EndpointID, MacAddress: s.MacAddress,
			Gateway: s.Gateway, IPAddress: s.IPAddress, IPPrefixLen: s.IPPrefixLen, GwPriority: s.GwPriority,
			IPv6Gateway: s.IPv6Gateway, GlobalIPv6Address: s.GlobalIPv6Address, GlobalIPv6PrefixLen: s.GlobalIPv6PrefixLen,
		}
	}
	return all
}
