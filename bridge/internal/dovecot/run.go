package dovecot

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Start starts the server again after Stop or Kill, with the mails it had,
// and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if s.cmd != nil {
		s.t.Fatal("dovecot runs already")
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(s.binary, "-F", "-c", filepath.Join(s.dir, "dovecot.conf"))
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.asUser, Setpgid: true}
	if s.asUser != nil {
		log.Chown(int(s.asUser.Uid), int(s.asUser.Gid))
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start dovecot: %v", err)
	}
	s.cmd, s.ended = cmd, make(chan struct{})
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	for range 500 {
		if greets(s.Addr) && greets(s.TLSAddr) {
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("dovecot ended at once:\n%s", s.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.t.Fatalf("dovecot does not answer at %s:\n%s", s.Addr, s.Log())
}

// Stop stops the server as its administrator would, and waits until it is gone.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill kills the server and all its processes, as a power cut would, and
// waits until they are gone.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(signal syscall.Signal) {
	if s.cmd == nil {
		return
	}
	group := s.cmd.Process.Pid
	if signal == syscall.SIGKILL {
		syscall.Kill(-group, signal)
	} else {
		syscall.Kill(group, signal)
	}
	<-s.ended
	for lives(group) { // its other processes outlive the first for a while
		syscall.Kill(-group, syscall.SIGKILL)
		time.Sleep(time.Millisecond)
	}
	s.cmd = nil
}

// lives tells whether a process of the group runs. Sending signal 0 would
// count the dead that nobody has collected yet.
func lives(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// "pid (name) state ppid pgrp …"; the name may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 2 && fields[0] != "Z" && fields[2] == strconv.Itoa(group) {
			return true
		}
	}
	return false
}

// Log is what the server logged so far.
func (s *Server) Log() string {
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(log)
}

// greets tells whether a server takes connections; one that speaks TLS first
// says nothing by itself.
func greets(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	return strings.HasPrefix(line, "* OK")
}
