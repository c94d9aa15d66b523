package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/localtar"
)

type copyOptions struct {
	follow, archive, quiet bool
}

// Copy is `dhow cp`.
func Copy(a *cli.App) *cobra.Command {
	var o copyOptions
	c := &cobra.Command{
		Use:   "cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdhow cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
		Short: "Copy files between a container and this host",
		Long:  "Copy files between a container and this host\n\nWith '-' for the source, a tar archive is read from standard input and extracted into a\nfolder of the container. With '-' for the destination, one is written to standard output.",
		Args:  cli.Exact(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return errors.New("source can not be empty")
			}
			if args[1] == "" {
				return errors.New("destination can not be empty")
			}
			if !cmd.Flags().Changed("quiet") {
				o.quiet = !a.ErrOut().IsTerminal()
			}
			return o.copy(cmd.Context(), a, args[0], args[1])
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.follow, "follow-link", "L", false, "Copy what a link leads to")
	fs.BoolVarP(&o.archive, "archive", "a", false, "Keep the numbers of owner and group")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "Do not say what was copied; so it is when standard error is no terminal")
	return cli.Aliased(c, "container cp", "cp")
}

func (o *copyOptions) copy(ctx context.Context, a *cli.App, from, to string) error {
	source, sourcePath := inContainer(from)
	dest, destPath := inContainer(to)
	c, err := a.Client()
	if err != nil {
		return err
	}
	switch {
	case source != "" && dest != "":
		return errors.New("copying between containers is not supported")
	case source != "":
		return o.from(ctx, a, c, source, sourcePath, destPath)
	case dest != "":
		return o.to(ctx, a, c, sourcePath, dest, destPath)
	}
	return errors.New("must specify at least one container source")
}

// inContainer takes CONTAINER:PATH apart. A path that begins with / or . is one of this host, colons or not.
func inContainer(s string) (name, path string) {
	if filepath.IsAbs(s) {
		return "", s
	}
	name, path, ok := strings.Cut(s, ":")
	if !ok || strings.HasPrefix(name, ".") {
		return "", s
	}
	return name, path
}

func (o *copyOptions) from(ctx context.Context, a *cli.App, c *client.Client, name, path, dest string) (err error) {
	if dest != "-" {
		if dest, err = localtar.Absolute(dest); err != nil {
			return err
		}
		if d, _ := localtar.Split(dest); !isDir(d) {
			return fmt.Errorf("invalid output path: directory %q does not exist", d)
		}
	}
	source := localtar.Entry{Path: path, Exists: true}
	if o.follow {
		if s, err := c.ContainerStatPath(ctx, name, client.ContainerStatPathOptions{Path: path}); err == nil && s.Stat.Mode&os.ModeSymlink != 0 {
			source.Path, source.Renamed = localtar.Follow(path, beside(path, s.Stat.LinkTarget))
		}
	}
	r, err := c.CopyFromContainer(ctx, name, client.CopyFromContainerOptions{SourcePath: source.Path})
	if err != nil {
		return err
	}
	defer r.Content.Close()
	if dest == "-" {
		_, err = io.Copy(a.Out, r.Content)
		return err
	}
	source.Dir = r.Stat.Mode.IsDir()
	to, err := localtar.Destination(dest)
	if err != nil {
		return err
	}
	content := &counted{Reader: r.Content}
	if err := o.extract(content, source, to); err != nil {
		return err
	}
	o.report(a, content.n.Load(), dest)
	return nil
}

func (o *copyOptions) extract(r io.Reader, source, to localtar.Entry) error {
	if source.Renamed != "" {
		_, base := localtar.Split(source.Path)
		r = renamed(r, base, source.Renamed)
	}
	dir, before, after, err := localtar.Place(source, to)
	if err != nil {
		return err
	}
	if after != "" {
		r = renamed(r, before, after)
	}
	return localtar.Extract(r, dir, o.archive)
}

func (o *copyOptions) to(ctx context.Context, a *cli.App, c *client.Client, path, name, dest string) (err error) {
	if path != "-" {
		if path, err = localtar.Absolute(path); err != nil {
			return err
		}
	}
	to, err := o.destination(ctx, c, name, dest)
	if err != nil {
		return err
	}
	put := client.CopyToContainerOptions{DestinationPath: to.Path, CopyUIDGID: o.archive}
	content := &counted{Reader: a.In}
	if path == "-" {
		if !to.Dir {
			return fmt.Errorf(`destination "%s:%s" must be a directory`, name, dest)
		}
	} else {
		source, err := localtar.Source(path, o.follow)
		if err != nil {
			return err
		}
		dir, before, after, err := localtar.Place(source, to)
		if err != nil {
			return err
		}
		r := piped(func(w io.Writer) error { return localtar.Write(source, w) })
		defer r.Close()
		put.DestinationPath, content.Reader = dir, r
		if after != "" {
			content.Reader = renamed(r, before, after)
		}
	}
	put.Content = content
	if _, err := c.CopyToContainer(ctx, name, put); err != nil {
		return err
	}
	o.report(a, content.n.Load(), name+":"+dest)
	return nil
}

// destination looks at where the copy goes, through a link. That it is not there is no error yet: its folder may be.
func (o *copyOptions) destination(ctx context.Context, c *client.Client, name, path string) (localtar.Entry, error) {
	e := localtar.Entry{Path: path}
	s, err := c.ContainerStatPath(ctx, name, client.ContainerStatPathOptions{Path: path})
	if err == nil && s.Stat.Mode&os.ModeSymlink != 0 {
		e.Path = beside(path, s.Stat.LinkTarget)
		s, err = c.ContainerStatPath(ctx, name, client.ContainerStatPathOptions{Path: e.Path})
	}
	if err != nil {
		return e, nil
	}
	if m := s.Stat.Mode; m&(os.ModeDevice|os.ModeIrregular) != 0 {
		return e, fmt.Errorf(`destination "%s:%s" must be a directory or a regular file`, name, path)
	}
	e.Exists, e.Dir = true, s.Stat.Mode.IsDir()
	return e, nil
}

func (o *copyOptions) report(a *cli.App, n int64, dest string) {
	if !o.quiet {
		fmt.Fprintf(a.Err, "Successfully copied %s to %s\n", format.Size(n), dest)
	}
}

func beside(path, target string) string {
	if filepath.IsAbs(target) {
		return target
	}
	dir, _ := localtar.Split(path)
	return filepath.Join(dir, target)
}

func isDir(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.IsDir()
}

// counted counts what is read.
type counted struct {
	io.Reader
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// piped is the output of write as an input.
func piped(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return r
}

func renamed(r io.Reader, before, after string) io.Reader {
	return piped(func(w io.Writer) error { return localtar.Rename(r, w, before, after) })
}
