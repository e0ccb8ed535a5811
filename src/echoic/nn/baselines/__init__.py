"""The systems that echoic answers, built as fairly as its own."""
