package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

var unixEpoch = time.Unix(0, 0)

// remote is what runs on the other host.
const remote = "command -v dhow >/dev/null && exec dhow system dial-stdio; exec docker system dial-stdio"

// secureShell reaches a daemon through ssh(1), by `dhow system dial-stdio` on the other host, or docker's.
type secureShell struct{ args []string }

func parseSSH(host string) (*secureShell, error) {
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("invalid ssh address %s: %w", host, err)
	}
	_, password := u.User.Password()
	switch {
	case u.Hostname() == "" || u.Hostname()[0] == '-':
		return nil, fmt.Errorf("invalid ssh address %s: no host", host)
	case password:
		return nil, errors.New("plain-text password is not supported in ssh addresses")
	case u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("invalid ssh address %s: extra path after the host", host)
	}
	s := &secureShell{}
	if n := u.User.Username(); n != "" {
		s.args = append(s.args, "-l", n)
	}
	if p := u.Port(); p != "" {
		s.args = append(s.args, "-p", p)
	}
	s.args = append(s.args, "-o", "ConnectTimeout=30", "-T", "--", u.Hostname(), remote)
	return s, nil
}

func (s *secureShell) dial(context.Context, string, string) (net.Conn, error) {
	c := exec.Command("ssh", s.args...)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ^C is for the container
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("cannot run ssh: %w", err)
	}
	return &pipes{c: c, in: in, out: out}, nil
}

// pipes is a connection made of a program's input and output.
type pipes struct {
	c     *exec.Cmd
	in    io.WriteCloser
	out   io.ReadCloser
	close sync.Once
}

func (p *pipes) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *pipes) Write(b []byte) (int, error) { return p.in.Write(b) }
func (p *pipes) CloseWrite() error           { return p.in.Close() }

// Close ends the program, too. It may be called often, as HTTP clients do.
func (p *pipes) Close() error {
	p.close.Do(func() {
		p.in.Close()
		p.out.Close()
		p.c.Process.Signal(syscall.SIGTERM)
		p.c.Wait()
	})
	return nil
}

type address string

func (address) Network() string  { return "ssh" }
func (a address) String() string { return string(a) }

func (p *pipes) LocalAddr() net.Addr              { return address("local") }
func (p *pipes) RemoteAddr() net.Addr             { return address("remote") }
func (p *pipes) SetDeadline(time.Time) error      { return nil }
func (p *pipes) SetReadDeadline(time.Time) error  { return nil }
func (p *pipes) SetWriteDeadline(time.Time) error { return nil }
