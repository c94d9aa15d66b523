package volume

import (
	"context"
	"errors"
	"os"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/volume"
	"golang.org/x/sys/unix"
)

// VolumePrune removes volumes that no container uses and that have no device: anonymous ones, or all with the filter
// all, by the filters label and label!.
func (m *Manager) VolumePrune(ctx context.Context, f api.Filters) (volume.PruneReport, error) {
	report := volume.PruneReport{VolumesDeleted: []string{}}
	match, err := filter(f, "all", "label", "label!")
	if err != nil {
		return report, err
	}
	all, err := pruneAll(f["all"])
	if err != nil {
		return report, err
	}
	unused := m.matching(func(e *entry) bool {
		return len(e.users) == 0 && len(e.Options) == 0 && (all || e.labelled([]string{anonymousLabel})) && match(e)
	})
	for _, e := range unused {
		if ctx.Err() != nil {
			break
		}
		size, err := m.size(ctx, e)
		if err == nil {
			err = m.remove(e.Name)
		}
		if err != nil {
			if !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
				m.log.Warn("cannot prune a volume", "volume", e.Name, "error", err)
			}
			continue
		}
		report.SpaceReclaimed += uint64(size)
		report.VolumesDeleted = append(report.VolumesDeleted, e.Name)
	}
	m.emit(events.ActionPrune, "", map[string]string{"reclaimed": strconv.FormatUint(report.SpaceReclaimed, 10)})
	return report, nil
}

// DiskUsage is the part of `docker system df` about volumes, with each of them if it is to be verbose.
func (m *Manager) DiskUsage(ctx context.Context, verbose bool) (*volume.DiskUsage, error) {
	all := m.matching(func(e *entry) bool { return len(e.Options) == 0 })
	usage := &volume.DiskUsage{TotalCount: int64(len(all))}
	for _, e := range all {
		size, err := m.size(ctx, e)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			m.log.Warn("cannot tell the size of a volume", "volume", e.Name, "error", err)
			size = -1
		}
		m.mu.Lock()
		users := int64(len(e.users))
		m.mu.Unlock()
		usage.TotalSize += max(size, 0)
		if users > 0 {
			usage.ActiveCount++
		} else {
			usage.Reclaimable += max(size, 0)
		}
		if verbose {
			v := m.view(e)
			v.UsageData = &volume.UsageData{RefCount: users, Size: size}
			usage.Items = append(usage.Items, v)
		}
	}
	return usage, nil
}

// size is what the files of a volume take, each counted once, in bytes of content.
func (m *Manager) size(ctx context.Context, e *entry) (int64, error) {
	dir, err := os.Open(m.data(e.Name))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	return addSizes(ctx, dir, map[inode]bool{}, 0)
}

// addSizes goes by descriptors, as containers may change the tree meanwhile.
func addSizes(ctx context.Context, dir *os.File, seen map[inode]bool, depth int) (total int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if depth > maxDepth {
		return 0, nil
	}
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		n, err := sizeOf(ctx, dir, name, seen, depth)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
			continue // it is no more what it was
		}
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func sizeOf(ctx context.Context, dir *os.File, name string, seen map[inode]bool, depth int) (int64, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		below, err := open(dir, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return 0, err
		}
		defer below.Close()
		return addSizes(ctx, below, seen, depth+1)
	}
	id := inode{st.Dev, st.Ino}
	if seen[id] {
		return 0, nil
	}
	seen[id] = true
	return st.Size, nil
}
