raise ImportError("this plugin is not for you")
