package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const tick = 10 * time.Millisecond

// count appends a number to a file every moment, without starting a process.
func count(args []string) error {
	return counting(args[0], func(n int) (string, error) { return strconv.Itoa(n), nil })
}

// counting appends what f makes of each number.
func counting(path string, f func(int) (string, error)) error {
	for n := 1; ; n++ {
		text, err := f(n)
		if err != nil {
			return err
		}
		// Opened each time: an open file would be looked for by its name in the restored container.
		out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
		time.Sleep(tick)
	}
}

// say prints a number every moment on standard output.
func say([]string) error {
	for n := 1; ; n++ {
		if _, err := fmt.Println(n); err != nil {
			return err
		}
		time.Sleep(tick)
	}
}

// talk sends numbers over one TCP connection and appends the answers to a file. Without an address it
// talks to itself.
func talk(args []string) error {
	address := ""
	if len(args) > 1 {
		address = args[1]
	} else {
		var plain net.ListenConfig
		plain.SetMultipathTCP(false) // which criu cannot save
		l, err := plain.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		address = l.Addr().String()
		go serve(l)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	return counting(args[0], func(n int) (string, error) {
		if _, err := fmt.Fprintln(conn, n); err != nil {
			return "", err
		}
		answer, err := in.ReadString('\n')
		return answer[:max(0, len(answer)-1)], err
	})
}

// serve sends back what it gets.
func serve(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := conn.Write([]byte(line)); err != nil {
			return
		}
	}
}

// lock holds a lock on a file while it counts.
func lock(args []string) error {
	f, err := os.OpenFile(args[1], os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	return count(args)
}

// dgrams sends numbers to a unix socket, and counts what was sent.
func dgrams(args []string) error {
	conn, err := net.Dial("unixgram", args[1])
	if err != nil {
		return err
	}
	return counting(args[0], func(n int) (string, error) {
		_, err := fmt.Fprint(conn, n)
		return strconv.Itoa(n), err
	})
}

// terminal prints numbers on the terminal, and repeats a word that is typed.
func terminal([]string) error {
	go func() { _ = say(nil) }()
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		fmt.Print("typed " + line)
	}
}
